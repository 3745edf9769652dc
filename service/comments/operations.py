"""Submit, change and restore comments. `transition` is the one way to change a state."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from service import metrics
from service.audit.operations import Deed, record
from service.comments import admission, queries
from service.comments.events import EVENT_OF, comment_data
from service.comments.facts import Known, facts_of
from service.comments.likeness import likeness
from service.comments.models import Author, Comment, CommentRevision, HoldReason, UndoEntry
from service.comments.rendering import RENDER_VERSION, render
from service.comments.search.queries import index_words
from service.comments.status import APPROVED, DELETED, PENDING, SPAM
from service.comments.threads import MOST_PINNED
from service.db import after_commit, db, insert_rows, new_id, now
from service.privacy.seal import email_index, network_label, seal
from service.sites.addresses import Address
from service.sites.models import Site
from service.sites.operations import open_page
from service.sites.queries import count_comment, count_rating
from service.spam.verdict import judge
from service.webhooks.outbox import Manner, announce, any_since, withdraw

TOKEN_PREFIX = "gra_"  # noqa: S105 - how tokens begin, not one

_SUBMITTED = metrics.counter(
    "greenroom_comments_submitted", "Comments that were taken, by what became of them.", "status"
)
for _status in (PENDING, APPROVED, SPAM):
    _SUBMITTED.labels(_status)
_DECIDED = metrics.counter(
    "greenroom_decisions", "Changes of a comment's state, by where it led and by whom.", "to", "actor"
)
_UNDONE = metrics.counter("greenroom_decisions_undone", "Decisions that were taken back.")


@dataclass(frozen=True)
class Submission:
    """What a visitor typed, already cleaned by the schema."""

    page: Address
    name: str
    email: str
    body: str
    page_title: str = ""
    parent_id: UUID | None = None
    website: str | None = None
    rating: float | None = None
    notify: bool = False


@dataclass(frozen=True)
class Sender:
    """Where a submission came from, and what the door noticed about it."""

    ip: str
    author_token: str | None = None
    signs: dict[str, Any] = field(default_factory=dict)
    """Facts that only the door knows (see spam.rules.Facts): honeypot, form_age, is_form, …"""


@dataclass(frozen=True)
class Submitted:
    """A stored comment; `token` is its author's, when it is a new one."""

    comment: Comment
    token: str | None


@dataclass(frozen=True)
class Change:
    """Who moves a comment to another state, and why. `event` None: nobody is told. `decision_id`: it can be undone."""

    actor: str
    event: str | None
    name: str | None = None
    reason: str | None = None
    reason_code: str | None = None
    note: str | None = None
    not_before: datetime | None = None
    decision_id: UUID | None = None


def submit(site: Site, what: Submission, sender: Sender) -> Submitted:
    """Judge, seal and store a submission.

    Raises ThreadClosed, Invalid (parent, rating) and Duplicate (same words by the same token or network).
    """
    author, token = _author(site, sender.author_token)
    # Locked now, so that of two who say the same at once the second is seen to repeat it.
    page = open_page(site, what.page, what.page_title, actor=f"author:{author.id}")
    admission.check_open(page)
    admission.check_parent(page, what.parent_id)
    admission.check_rating(site, what.rating)
    index, label = email_index(site.id, what.email), network_label(site.id, sender.ip)
    comment = Comment.on(
        page, author, parent_id=what.parent_id, name=what.name, website=what.website,
        email_sealed=seal(what.email), email_index=index, network_label=label,
        rating=what.rating, rating_scale=site.rating_max if what.rating is not None else None,
        notify=what.notify, notify_consent_at=now() if what.notify else None,
    )  # fmt: skip
    write(comment, what.body, "md")
    poster = queries.Poster(page.id, author.id, label, index)
    before = queries.before(poster, what.body, comment.alike_text, has_rating=what.rating is not None)
    admission.check_first(before)
    verdict = judge(facts_of(comment, Known(what.email, sender.ip, sender.signs, token is None, before)))
    comment.risk, comment.shadowed = verdict.risk, verdict.is_shadowed
    comment.reasons.extend(HoldReason(code=one.code, detail=one.detail) for one in verdict.findings)
    transition(comment, verdict.status, Change(f"author:{author.id}", "comment.created"))
    after_commit(_SUBMITTED.labels(verdict.status).inc)
    return Submitted(comment, token)


def _author(site: Site, token: str | None) -> tuple[Author, str | None]:
    """The holder of the token, or a new author and the token to hand out."""
    known = queries.author_of_token(site.id, token_digest(token)) if token else None
    if known:
        return known, None
    fresh = TOKEN_PREFIX + secrets.token_urlsafe(32)
    return new_author(site, token_digest(fresh)), fresh


def new_author(site: Site, digest: bytes | None = None) -> Author:
    """Write a new author down."""
    row = author_row(site, digest)
    insert_rows(Author, [row])
    return Author(**row)


def author_row(site: Site, digest: bytes | None = None) -> dict[str, Any]:
    avatar = secrets.token_hex(8)
    return {"id": new_id(), "site_id": site.id, "token_digest": digest, "avatar": avatar, "created_at": now()}


def token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def write(comment: Comment, body: str, body_format: str) -> None:
    """Set a text and its html: the one path from words to html, for every way to write."""
    comment.body, comment.body_format = body, body_format
    comment.html, comment.render_version = render(body, body_format), RENDER_VERSION
    comment.alike_host, comment.alike_text = likeness(comment.html)


def transition(comment: Comment, to: str, change: Change) -> None:
    """Move a comment to a state; counters, audit and event follow in the same transaction.

    `comment` is new on a locked page, or has just been locked by `queries.get_for_update`. Raises IllegalTransition.
    """
    before = cast("str | None", comment.status)  # a new comment has none
    stood = _what_stands(comment)
    comment.status = to
    if before is not None:
        comment.decided_at, comment.decided_by = now(), change.actor
        comment.decided_name, comment.reason, comment.reason_code = change.name, change.reason, change.reason_code
    comment.decision_id = change.decision_id
    _store(comment, before)
    if not change.event:
        return
    code = {"reason_code": change.reason_code} if change.reason_code else {}
    details = {"from": before, "to": to, "reason": change.reason, "note": change.note} | code
    if before is not None:
        after_commit(_DECIDED.labels(to, change.actor.partition(":")[0]).inc)
    action = "comment.created" if before is None else EVENT_OF[to]
    record(Deed(action, change.actor, comment.site_id, comment.id, details))
    told = {"actor": change.actor, "reason": change.reason, "previous_status": before} | code
    data = comment_data(comment, **told)
    manner = Manner(change.not_before, comment.email_sealed, is_first=before is None)
    event_id = announce(change.event, comment.site_id, comment.id, data, manner)
    if change.decision_id:
        insert_rows(
            UndoEntry, [{"decision_id": change.decision_id, "comment_id": comment.id, "event_id": event_id} | stood]
        )


def _tell(type_: str, comment: Comment, told: dict[str, Any]) -> None:
    announce(type_, comment.site_id, comment.id, comment_data(comment, **told), Manner(email=comment.email_sealed))


def _what_stands(comment: Comment) -> dict[str, Any]:
    """What a decision takes the place of, as an UndoEntry holds it. To undo what made a comment deletes it."""
    names = ("decided_at", "decided_by", "decided_name", "reason", "reason_code", "pinned_at")
    stood = {name: getattr(comment, name) for name in names}
    return stood | {"status": comment.status or DELETED, "previous_id": comment.decision_id}


def _store(comment: Comment, before: str | None) -> None:
    if comment.status != APPROVED:
        comment.pinned_at = None
    appears = comment.status == APPROVED and not comment.shown
    comment.shown = comment.shown or appears
    if before is None:
        db.session.add(comment)
    db.session.flush()
    if before is None:
        queries.add_reasons([comment])
        index_words(comment)
    _recount(comment, before)
    if appears:
        _carry(comment.parent_id, 1)
    elif before is not None:
        reshow(comment.id, comment.parent_id, comment.status)


def undo(comment: Comment, entry: UndoEntry, actor: str) -> None:
    """Bring back what stood before a comment's last decision (both locked); its pin if there is room for it.

    A decision of which nobody has heard yet is never told of. The reverse is told of another one, and where what was
    announced since tells the state that is no more. To wait again after the first is to have waited all along.
    """
    is_unheard = withdraw(entry.event_id)
    before, waiting_since = comment.status, comment.waiting_since
    comment.status = entry.status
    if is_unheard and waiting_since:
        comment.waiting_since = waiting_since
    comment.decided_at, comment.decided_by = entry.decided_at, entry.decided_by
    comment.decided_name, comment.reason, comment.reason_code = entry.decided_name, entry.reason, entry.reason_code
    comment.decision_id, entry.undone_at = entry.previous_id, now()
    if entry.pinned_at and queries.count_pinned(comment.page_id) < MOST_PINNED:
        comment.pinned_at = entry.pinned_at
    _store(comment, before)
    details = {"from": before, "to": comment.status, "undoes": str(entry.decision_id)}
    record(Deed("comment.undone", actor, comment.site_id, comment.id, details))
    after_commit(_UNDONE.inc)
    if is_unheard and not any_since(entry.event_id, comment.id):
        return
    told = {"actor": actor, "previous_status": before, "undoes": None if is_unheard else str(entry.event_id)}
    _tell(EVENT_OF[comment.status], comment, told)


def _recount(comment: Comment, before: str | None) -> None:
    """Keep the page's count, its histogram and the parent's tally in step with the state."""
    by = int(comment.status == APPROVED) - int(before == APPROVED)
    if by:
        count_comment(comment.page_id, by)
        db.session.expire(comment.page, ["comment_count"])
        if comment.parent_id:
            queries.tally(comment.parent_id).replies += by
    if comment.rating is not None and comment.rating_scale is not None:
        count_rating(comment.page_id, comment.rating_scale, comment.rating, by)  # 0 too: the scale is in use


def reshow(comment_id: UUID, parent_id: UUID | None, status: str) -> None:
    """Show what is approved or carries something shown, and nothing else."""
    should = status == APPROVED or queries.tally(comment_id).shown_replies > 0
    if queries.place_of(comment_id).shown != should:
        queries.set_shown(comment_id, should)
        _carry(parent_id, 1 if should else -1)


def _carry(comment_id: UUID | None, by: int) -> None:
    """Have a comment carry one more that is shown, or one fewer; go up only as long as that changes anything."""
    while comment_id is not None:
        place, tally = queries.place_of(comment_id), queries.tally(comment_id)
        tally.shown_replies += by
        db.session.flush()
        should = place.status == APPROVED or tally.shown_replies > 0
        if place.shown == should:
            return
        queries.set_shown(comment_id, should)
        comment_id, by = place.parent_id, 1 if should else -1


def revise(comment: Comment, body: str, *, actor: str, hold: bool = False, told: dict[str, Any] | None = None) -> None:
    """Give a comment (locked) another text; the old one is kept. `told`: see `tell_edit`.

    `hold`: a comment that its author believes to be published keeps its text until a moderator takes the new one.
    """
    if hold and comment.told_status == APPROVED:
        _keep(comment, "held", body, "md", actor)
        tell_edit(comment, "comment.revision-held", actor, {"revision": "held"})
        return
    _keep(comment, "published", comment.body, comment.body_format, actor)
    write(comment, body, "md")
    comment.edited_at = now()
    db.session.flush()
    index_words(comment)
    tell_edit(comment, "comment.edited", actor, told or {})


def tell_edit(comment: Comment, action: str, actor: str, told: dict[str, Any]) -> None:
    """Audit and announce what became of a text. `told`: of an author's change its `revision` (held, …), a `reason`."""
    record(Deed(action, actor, comment.site_id, comment.id, told))
    _tell("comment.edited", comment, {"actor": actor} | told)


def _keep(comment: Comment, state: str, body: str, body_format: str, actor: str) -> None:
    row = CommentRevision(
        id=new_id(), comment_id=comment.id, state=state, body=body, body_format=body_format, by=actor, created_at=now()
    )
    db.session.add(row)
