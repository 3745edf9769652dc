"""Decide, edit, reveal: comments.operations.transition, wrapped in who may and what they had seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from service.accounts.principal import Principal
from service.audit.operations import Deed, record
from service.comments import queries as comments
from service.comments.events import EVENT_OF
from service.comments.models import Comment
from service.comments.operations import Change, revise, transition
from service.comments.schemas import timestamp
from service.comments.status import DECISIONS, PENDING, IllegalTransition
from service.db import db, new_id, now
from service.errors import Conflict, NotFound, Problem, StaleVersion, VersionNeeded
from service.moderation import queries
from service.moderation.models import BulkDecision
from service.moderation.queries import Filter
from service.privacy.unseal import masked, unseal

OTHERS = {
    "author": "the author", "reader": "a reader", "import": "an import", "command": "a command", "system": "Greenroom",
}  # fmt: skip
"""Who decides beside moderators, by the kind of an actor."""

AT_ONCE = 500
"""Comments decided in one transaction; more become a job."""


@dataclass(frozen=True)
class Verdict:
    """What a moderator decided, and why. `hold_back`: seconds for which nobody is told."""

    decision: str
    reason: str | None = None
    note: str | None = None
    hold_back: float = 0.0


def find(comment_id: UUID, who: Principal, scope: str) -> Comment:
    """A comment that `who` may see. NotFound otherwise, whether it exists or not."""
    comment = comments.get(comment_id, who.sites)
    if comment is None:
        raise NotFound("There is no comment by that id.")
    who.require(comment.site_id, scope)
    return comment


def _find_locked(comment_id: UUID, who: Principal) -> Comment:
    find(comment_id, who, "moderate")
    comment = comments.get_for_update(comment_id)
    assert comment is not None
    return comment


def decide(comment_id: UUID, verdict: Verdict, who: Principal, if_match: str | None) -> Comment:
    """Decide on one comment.

    Raises VersionNeeded (428) for a second decision without If-Match, StaleVersion (412) when it changed since, and
    Conflict (409) when the state does not allow it; each says who decided what, and when.
    """
    comment = _find_locked(comment_id, who)
    _check_seen(comment, if_match, needed=comment.status != PENDING)
    change = Change(
        actor=who.actor,
        event=EVENT_OF[DECISIONS[verdict.decision]],
        name=who.name,
        reason=verdict.reason,
        note=verdict.note,
        not_before=now() + timedelta(seconds=verdict.hold_back),
    )
    try:
        transition(comment, DECISIONS[verdict.decision], change)
    except IllegalTransition as error:
        raise _told(Conflict(str(error)), comment) from error
    return comment


def edit(comment_id: UUID, body: str, who: Principal, if_match: str | None) -> Comment:
    """Give a comment another text; the old one stays as a revision. Needs If-Match."""
    comment = _find_locked(comment_id, who)
    _check_seen(comment, if_match, needed=True)
    revise(comment, body, actor=who.actor)
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


def reveal(comment_id: UUID, who: Principal) -> str | None:
    """The address behind a comment; None when it was purged or never there. Reading it is audited."""
    comment = find(comment_id, who, "moderate")
    record(Deed("comment.revealed", who.actor, comment.site_id, comment.id))
    return unseal(comment.email_sealed) if comment.email_sealed else None


def masked_email(comment: Comment) -> str | None:
    return masked(comment.email_sealed)


@dataclass(frozen=True)
class Outcome:
    """What became of one comment in a bulk decision."""

    id: UUID
    status: str | None
    problem: str | None = None


def decide_many(
    ids: Sequence[UUID], verdict: Verdict, who: Principal, if_match: dict[UUID, str] | None = None
) -> list[Outcome]:
    """Decide on many in one transaction; each gets its own outcome, and one that cannot be decided stops no other."""
    known = queries.in_lock_order(ids, who.sites)
    found = {one: _outcome(partial(decide, one, verdict, who, (if_match or {}).get(one))) for one in known}
    missing = NotFound("There is no comment by that id.").detail
    return [replace(found[one], id=one) if one in found else Outcome(one, None, missing) for one in ids]


def _outcome(act: Callable[[], Comment]) -> Outcome:
    try:
        comment = act()
    except Problem as problem:
        return Outcome(UUID(int=0), problem.more.get("current", {}).get("status"), problem.detail)
    return Outcome(comment.id, comment.status)


def start_bulk(wanted: Filter, seen: int, verdict: Verdict, who: Principal) -> BulkDecision:
    """Decide on all that a filter matches, if it still matches as many as the moderator saw (else Conflict)."""
    total = queries.count(wanted)
    if total != seen:
        raise Conflict(f"You saw {seen:,} comments; there are {total:,} now. Nothing was changed.", count=total)
    return _begun(_as_json(wanted), total, verdict, who, wanted.site_ids)


def start_many(items: Sequence[tuple[UUID, str | None]], verdict: Verdict, who: Principal) -> BulkDecision:
    """Decide on many that are named, each with the version that was seen."""
    return _begun({"items": [(str(one), seen) for one, seen in items]}, len(items), verdict, who)


def _begun(
    filter_: dict[str, Any], total: int, verdict: Verdict, who: Principal, sites: Sequence[UUID] = ()
) -> BulkDecision:
    bulk = BulkDecision(
        id=new_id(), state="working", moderator_id=who.moderator_id, actor=who.actor, name=who.name,
        decision=verdict.decision, reason=verdict.reason, filter=filter_, total=total, done=0, results=[],
        site_ids=[str(one) for one in sites], created_at=now(),
    )  # fmt: skip
    db.session.add(bulk)
    record(Deed("comments.bulk", who.actor, None, bulk.id, {"decision": verdict.decision, "total": total}))
    return bulk


def _as_json(wanted: Filter) -> dict[str, Any]:
    page_id = str(wanted.page_id) if wanted.page_id else None
    return {"status": wanted.status, "page_id": page_id, "q": wanted.q, "reason": wanted.reason}


def work_bulk(who: Callable[[str], Principal | None], hold_back: float) -> bool:
    """One part of the oldest bulk decision; False when there is none. `who` finds the actor as they are now."""
    bulk = queries.next_bulk()
    if bulk is None:
        return False
    principal = who(bulk.actor)
    left = _left(bulk, principal) if principal else {}
    verdict = Verdict(bulk.decision, bulk.reason, hold_back=hold_back)
    if principal and left:
        seen = {one: version for one, version in left.items() if version}
        outcomes = decide_many(list(left), verdict, principal, seen)
        refused = [one for one in outcomes if one.problem]
        bulk.done += len(outcomes) - len(refused)
        bulk.results = bulk.results + [asdict(one) | {"id": str(one.id)} for one in refused]
    if len(left) < AT_ONCE:
        bulk.state, bulk.finished_at = "done", now()
    db.session.flush()
    return True


def _left(bulk: BulkDecision, who: Principal) -> dict[UUID, str | None]:
    """The next part of the bulk, with the versions that were seen."""
    if "items" not in bulk.filter:
        return dict.fromkeys(_pending(bulk, who))
    begun = bulk.done + len(bulk.results)
    return {UUID(one): seen for one, seen in bulk.filter["items"][begun : begun + AT_ONCE]}


def _pending(bulk: BulkDecision, who: Principal) -> list[UUID]:
    """What of the bulk is still pending, on sites where the moderator still may: a role taken away counts at once."""
    page_id = bulk.filter["page_id"]
    still = Filter(
        site_ids=[UUID(one) for one in bulk.site_ids if UUID(one) in who.site_ids("moderate")],
        status=PENDING,
        page_id=UUID(page_id) if page_id else None,
        q=bulk.filter["q"],
        reason=bulk.filter["reason"],
    )
    refused = {UUID(one["id"]) for one in bulk.results}
    found = queries.ids(still, until=bulk.created_at, limit=AT_ONCE + len(refused))
    return [one for one in found if one not in refused][:AT_ONCE]
