"""Count what a reader votes for, tell moderators what they report, and forget in time where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.audit.operations import Deed, record
from service.comments import queries as comments
from service.comments.events import EVENT_OF, comment_data
from service.comments.models import Comment
from service.comments.operations import Change, transition
from service.comments.status import APPROVED, PENDING
from service.db import db, insert_if_new, new_id, now
from service.errors import Duplicate, NotFound
from service.privacy.seal import keyed, network_label
from service.reactions import queries
from service.reactions.models import Report, Vote
from service.reactions.policy import REASONS
from service.sites.models import Site
from service.webhooks.outbox import Manner, announce

READER = "reader"
"""The actor: which reader it was, nobody is told."""
_RISK = 3
"""What a report weighs when the queue is sorted by risk."""


@dataclass(frozen=True)
class Reader:
    """Who reacts: the token of their device, and the address they come from."""

    device: str
    ip: str


@dataclass(frozen=True)
class Complaint:
    """What a reader finds wrong: one of policy.REASONS, and words of their own."""

    reason: str
    note: str | None = None


@dataclass(frozen=True)
class Voted:
    """How many votes a comment has, and whether the device's is among them."""

    votes: int
    voted: bool


def vote(site: Site, comment_id: UUID, reader: Reader, *, up: bool) -> Voted:
    """Count a vote, or take the device's own one back; what is so already stays so.

    Nobody is told and nothing is audited: a vote is no decision. Raises NotFound, and Duplicate when another
    device of the network has voted.
    """
    _find_locked(site, comment_id)
    row = _row("vote", site, comment_id, reader)
    own = queries.vote_of(comment_id, row["device_digest"])
    tally = comments.tally(comment_id)
    if up and not own:
        if not insert_if_new(Vote, row):
            raise Duplicate("Somebody on this network has voted for this already.")
        tally.votes += 1
    elif own and not up:
        db.session.delete(own)
        tally.votes -= 1
    db.session.flush()
    return Voted(tally.votes, up)


def report(site: Site, comment_id: UUID, reader: Reader, complaint: Complaint) -> None:
    """Tell moderators what a reader finds wrong; as many as the site says put the comment back in the queue.

    What was reported before the last decision counts no more. A second report of a device or a network never does,
    and nobody is told so. Raises NotFound.
    """
    comment = _find_locked(site, comment_id)
    row = _row("report", site, comment_id, reader)
    if not insert_if_new(Report, row | {"reason": complaint.reason, "note": complaint.note}):
        return
    many = queries.count_reports(comment_id, since=comment.decided_at)
    _show(comment, many, complaint.reason)
    told = {"reason": complaint.reason, "reports": many}
    record(Deed("comment.flagged", READER, site.id, comment_id, told))
    data = comment_data(comment, actor=READER, **told)
    announce("comment.flagged", site.id, comment_id, data, Manner(email=comment.email_sealed))
    if site.hold_after_reports and many >= site.hold_after_reports:
        transition(comment, PENDING, Change(READER, EVENT_OF[PENDING]))


def _show(comment: Comment, many: int, reason: str) -> None:
    """One reason for all reports, and its weight. Neither is part of the version: nobody's decision grows stale."""
    times = f"once, as {REASONS[reason]}" if many == 1 else f"{many} times, last as {REASONS[reason]}"
    detail = f"Readers reported this: {times}."
    known = next((one for one in comment.reasons if one.code == "reported"), None)
    if known:
        known.detail = detail
    else:
        comments.add_reason(comment, "reported", detail)
    db.session.flush()
    queries.add_risk(comment.id, _RISK)


def _find_locked(site: Site, comment_id: UUID) -> Comment:
    """A published comment, locked with its page. NotFound for all else, and nothing is locked for it."""
    comment = comments.get_for_update(comment_id) if queries.is_published(site.id, comment_id) else None
    if comment is None or comment.status != APPROVED:
        raise NotFound("There is no published comment by that id.")
    return comment


def _row(purpose: str, site: Site, comment_id: UUID, reader: Reader) -> dict[str, Any]:
    digest = keyed(purpose, comment_id.bytes, reader.device.encode())
    label = network_label(site.id, reader.ip)
    return {
        "id": new_id(), "comment_id": comment_id, "site_id": site.id, "device_digest": digest,
        "network_label": label, "created_at": now(),
    }  # fmt: skip


def purge(limit: int = 1_000) -> int:
    """Forget networks past their site's retention time; how many."""
    return sum(queries.forget_networks(kind, now(), limit) for kind in (Vote, Report))
