"""Count a reader's vote, and forget in time where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.comments import queries as comments
from service.comments.models import Comment
from service.comments.status import APPROVED
from service.db import db, insert_if_new, new_id, now
from service.errors import Duplicate, NotFound
from service.privacy.seal import keyed, network_label
from service.reactions import queries
from service.reactions.models import Vote
from service.sites.models import Site


@dataclass(frozen=True)
class Reader:
    """Who reacts: the token of their device, and the address they come from."""

    device: str
    ip: str


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
    return queries.forget_networks(Vote, now(), limit)
