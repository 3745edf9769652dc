"""Decide, undo, edit, reveal: comments.operations.transition, wrapped in who may and what they had seen."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from service.accounts.principal import Principal
from service.audit.operations import Deed, record
from service.authors import queries as authors
from service.comments import queries as comments
from service.comments.events import EVENT_OF
from service.comments.models import Author, Comment
from service.comments.operations import Change, revise, tell_edit, transition, undo, write
from service.comments.schemas import NAME_LENGTH, timestamp
from service.comments.status import APPROVED, DECISIONS, PENDING, IllegalTransition
from service.db import db, insert_if_new, new_id, now
from service.errors import Conflict, Invalid, NotFound, Problem, StaleVersion, VersionNeeded
from service.moderation import queries
from service.moderation.decisions import queries as decisions
from service.privacy.seal import email_index
from service.privacy.unseal import masked, unseal
from service.sites import queries as sites
from service.sites.models import Site

OTHERS = {
    "author": "the author", "reader": "a reader", "import": "an import", "command": "a command", "system": "Greenroom",
}  # fmt: skip
"""Who decides beside moderators, by the kind of an actor."""


NO_REASON = "The site of this comment has no reason of that name."


@dataclass(frozen=True)
class Verdict:
    """What a moderator decided, and why. `hold_back`: seconds for which nobody is told."""

    decision: str
    reason: str | None = None
    reason_code: str | None = None
    """Of a rejection: one of the site's reasons. Without other words, its sentence is the reason that is told."""
    note: str | None = None
    hold_back: float = 0.0
    id: UUID = field(default_factory=new_id)
    """By which it can be undone, on however many comments it was."""


@dataclass(frozen=True)
class Ruling:
    """What becomes of an author's change of a published text: `accept` or `refuse`."""

    decision: str
    revision: UUID
    reason: str | None = None


def find(comment_id: UUID, who: Principal, scope: str) -> Comment:
    """A comment that `who` may see. NotFound otherwise, whether it exists or not."""
    comment = comments.get(comment_id, who.sites)
    if comment is None:
        raise _missing()
    who.require(comment.site_id, scope)
    return comment


def _missing() -> NotFound:
    return NotFound("There is no comment by that id, or you have no role on its site.")


def find_locked(comment_id: UUID, who: Principal) -> Comment:
    """A comment on which `who` may decide, locked. NotFound, or Conflict when nothing is left of it."""
    comment = comments.get_for_update(comment_id, who.sites)
    if comment is None:
        raise _missing()
    who.require(comment.site_id, "moderate")
    if comment.erased_at:
        raise Conflict("Its author had this comment erased. There is nothing left to decide.")
    return comment


def decide(comment_id: UUID, verdict: Verdict, who: Principal, if_match: str | None) -> Comment:
    """Decide on one comment.

    Raises VersionNeeded (428) for a second decision without If-Match, StaleVersion (412) when it changed since, and
    Conflict (409) when the state does not allow it; each says who decided what, and when.
    """
    comment = find_locked(comment_id, who)
    _check_seen(comment, if_match, needed=comment.status != PENDING)
    change = Change(
        actor=who.actor,
        event=EVENT_OF[DECISIONS[verdict.decision]],
        name=who.name,
        reason=words_of(comment.site_id, verdict),
        reason_code=verdict.reason_code,
        note=verdict.note,
        not_before=now() + timedelta(seconds=verdict.hold_back),
        decision_id=verdict.id,
    )
    try:
        transition(comment, DECISIONS[verdict.decision], change)
    except IllegalTransition as error:
        raise _told(Conflict(str(error)), comment) from error
    queries.drop_claims(comment_id=comment.id)
    return comment


def words_of(site_id: UUID, verdict: Verdict) -> str | None:
    """Why, in words: the moderator's own, or else those of the site's reason. Invalid when the site has it not."""
    if verdict.reason_code is None:
        return verdict.reason
    found = sites.reason(site_id, verdict.reason_code)
    if found is None or found.retired_at:
        raise Invalid.field("reason_code", "reason", NO_REASON)
    return verdict.reason or found.sentence


def undo_one(decision_id: UUID, comment_id: UUID, who: Principal) -> Comment:
    """Bring back what stood before a decision on a comment.

    Raises Conflict (409) when it was undone already, is too long ago, or somebody has decided again since: who, when
    and what is said.
    """
    comment = find_locked(comment_id, who)
    entry = decisions.undo_entry(decision_id, comment_id)
    if entry is None:
        raise _told(Conflict("This can no longer be undone."), comment)
    if entry.undone_at:
        raise _told(Conflict("This was undone already."), comment)
    if comment.decision_id != decision_id:
        raise _told(Conflict("This was decided again since, and stays so."), comment)
    undo(comment, entry, who.actor)
    for one in decisions.written_with(decision_id, comment_id):
        undo_one(decision_id, one, who)  # a reply below what nobody sees any more
    return comment


def edit(comment_id: UUID, body: str, who: Principal, if_match: str | None) -> Comment:
    """Give a comment another text; the old one stays as a revision. Needs If-Match."""
    comment = find_locked(comment_id, who)
    _check_seen(comment, if_match, needed=True)
    revise(comment, body, actor=who.actor)
    return comment


def settle(comment_id: UUID, ruling: Ruling, who: Principal, if_match: str | None) -> Comment:
    """Take an author's change into the text, or refuse it; the old text stays as a revision.

    Raises Conflict (409) when no change waits (any more), and StaleVersion (412) when it is another one by now, or
    the text is not the one that was seen.
    """
    comment = find_locked(comment_id, who)
    _check_seen(comment, if_match, needed=False)
    waiting = authors.held(comment.id)
    if waiting is None:
        raise _told(Conflict("No change of this text waits any more."), comment)
    if waiting.id != ruling.revision:
        raise _told(StaleVersion("The author has changed the text again since you looked."), comment)
    if ruling.decision == "accept":
        authors.drop_held(comment.id)
        told = {"revision": "accepted", "reason": ruling.reason}
        revise(comment, waiting.body, actor=who.actor, told=told)
    else:
        waiting.state = authors.REFUSED
        told = {"revision": authors.REFUSED, "reason": ruling.reason}
        tell_edit(comment, "comment.revision-refused", who.actor, told)
    db.session.flush()
    return comment


def etag(comment: Comment) -> str:
    return f'"v{comment.version}"'


def _check_seen(comment: Comment, if_match: str | None, *, needed: bool) -> None:
    if if_match is None and needed:
        raise _told(VersionNeeded(), comment)
    seen = {one.strip() for one in (if_match or "*").split(",")}  # RFC 9110: one or more
    if seen.isdisjoint((etag(comment), "*")):
        raise _told(StaleVersion(), comment)


def _told(problem: Problem, comment: Comment) -> Problem:
    """The problem with who decided what and when, for a person and for a program."""
    if comment.decided_at:
        when = f"{comment.decided_at:%-d %B %Y, %H:%M} UTC"
        problem.detail += f" It was set to {comment.status} by {decider(comment)} on {when}."
    problem.more = {
        "current": {
            "status": comment.status,
            "version": comment.version,
            "by": decider(comment),
            "at": timestamp(comment.decided_at),
        }
    }
    problem.headers["ETag"] = etag(comment)
    return problem


def decider(comment: Comment) -> str | None:
    """Who decided: a moderator's name, or what else it was."""
    kind = (comment.decided_by or "").partition(":")[0]
    return comment.decided_name or OTHERS.get(kind, kind) or None


def note(comment_id: UUID, text: str, who: Principal) -> Comment:
    """Leave a note for other moderators. It stands in the comment's history."""
    comment = find_locked(comment_id, who)
    record(Deed("comment.noted", who.actor, comment.site_id, comment.id, {"note": text}))
    return comment


def answer(
    comment_id: UUID, body: str, who: Principal, approval: Verdict | None = None, if_match: str | None = None
) -> Comment:
    """Reply to a published comment in the name of its site; `approval` publishes one that waits.

    With an approval the reply is told of no sooner than that, and goes when that is undone.
    Raises Conflict when it is not published, and StaleVersion (412) when it is not the one that was seen.
    """
    parent = find_locked(comment_id, who)
    _check_seen(parent, if_match, needed=False)
    if parent.status == PENDING and approval:
        decide(comment_id, approval, who, if_match)
    if parent.status != APPROVED:
        raise _told(Conflict("Only a published comment can be answered. Approve it first."), parent)
    author, name = _author_of_site(parent.site_id), parent.site.name[:NAME_LENGTH]
    comment = Comment.on(parent.page, author, parent_id=parent.id, name=name, is_moderator=True)
    write(comment, body, "md")
    change = Change(who.actor, "comment.created")
    if approval:
        change = replace(change, not_before=now() + timedelta(seconds=approval.hold_back), decision_id=approval.id)
    transition(comment, APPROVED, change)
    return comment


def _author_of_site(site_id: UUID) -> Author:
    """Who a site writes as: one author, so that its picture stays. It has the id of the site, and no token."""
    row = {"id": site_id, "site_id": site_id, "avatar": secrets.token_hex(8), "created_at": now()}
    insert_if_new(Author, row)
    return db.session.get_one(Author, site_id)


def person_with(site: Site, address: str, who: Principal) -> UUID | None:
    """Who writes with an address on a site: one of their comments, by which they can be found. Asking is audited."""
    record(Deed("person.looked-up", who.actor, site.id))
    return authors.with_address(site.id, email_index(site.id, address))


def reveal(comment_id: UUID, who: Principal) -> str | None:
    """The address behind a comment; None when it was purged or never there. Reading it is audited."""
    comment = find(comment_id, who, "moderate")
    record(Deed("comment.revealed", who.actor, comment.site_id, comment.id))
    return unseal(comment.email_sealed) if comment.email_sealed else None


def masked_email(comment: Comment) -> str | None:
    return masked(comment.email_sealed)
