"""Decide on many comments, and undo decisions: at once, or worked off part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from service.accounts.principal import Principal
from service.audit.operations import Deed, record
from service.comments.models import Comment
from service.comments.schemas import timestamp
from service.comments.status import PENDING
from service.db import db, now
from service.errors import Conflict, NotFound, Problem
from service.moderation import queries
from service.moderation.decisions import queries as decisions
from service.moderation.models import BulkDecision
from service.moderation.operations import Verdict, decide, undo_one
from service.moderation.queries import Filter

AT_ONCE = 500
"""Comments decided in one transaction; more become a job."""
WORKING, DONE = "working", "done"
_STATES = {(WORKING, False): WORKING, (DONE, False): DONE, (WORKING, True): "undoing", (DONE, True): "undone"}


@dataclass(frozen=True)
class Outcome:
    """What became of one comment in a bulk decision."""

    id: UUID
    status: str | None
    problem: str | None = None
    by: str | None = None
    """Who had decided before, where that is why it was refused."""
    by_actor: str | None = None
    """The same as the audit log knows them: two people may have one name."""


@dataclass(frozen=True)
class Progress:
    """How far a decision on many, or undoing it, has come. `results`: of a job, those that were refused."""

    id: UUID | None
    state: str
    total: int
    done: int
    results: list[Any]


def progress(bulk: BulkDecision, outcomes: list[Outcome] | None = None) -> Progress:
    state = _STATES[bulk.state, bulk.undone_by is not None]
    return Progress(bulk.id, state, bulk.total, bulk.done, bulk.results if outcomes is None else outcomes)


def decide_listed(items: Mapping[UUID, str | None], verdict: Verdict, who: Principal) -> Progress:
    """Decide on comments that are named, each with the version that was seen; more than AT_ONCE become a job."""
    named = [(str(one), seen) for one, seen in items.items()]
    return _begin({"items": named}, len(named), verdict, who)


def decide_matching(wanted: Filter, seen: Mapping[str, Any], verdict: Verdict, who: Principal) -> Progress:
    """Decide on all that a filter matches, if it still matches what the moderator saw (else Conflict).

    `seen`: how many, as `count`, and where it is said, which came last (`newest`), and when one of them was last
    `edited`: of as many, some may be others or have other words. What came after `newest` is left as it is.
    """
    wanted = replace(wanted, until=seen.get("newest"))
    total, newest, edited = queries.newest(wanted)
    number = seen["count"]
    if total != number:
        raise Conflict(f"You saw {number:,} comments; there are {total:,} now. Nothing was changed.", count=total)
    if seen.get("newest", newest) != newest:
        raise Conflict(f"You saw {number:,} comments; some of them are others now. Nothing was changed.", count=total)
    if seen.get("edited", timestamp(edited)) != timestamp(edited):
        raise Conflict(
            f"You saw {number:,} comments; some of them have other words now. Nothing was changed.", count=total
        )
    return _begin(_as_json(wanted), total, verdict, who)


def _as_json(wanted: Filter) -> dict[str, Any]:
    values = asdict(wanted).items()
    return {name: str(one) if isinstance(one, UUID) else one for name, one in values if one is not None}


def _from_json(values: dict[str, Any]) -> Filter:
    """A filter as _as_json wrote it; it matches what is pending now."""
    names = ("page_id", "person", "taken_by", "free_for", "until")
    ids = {name: UUID(values[name]) for name in names if values.get(name)}
    return Filter(**values | ids | {"status": PENDING})


def _begin(filter_: dict[str, Any], total: int, verdict: Verdict, who: Principal) -> Progress:
    bulk = BulkDecision(
        id=verdict.id, state=WORKING, moderator_id=who.moderator_id, actor=who.actor, name=who.name,
        decision=verdict.decision, reason=verdict.reason, reason_code=verdict.reason_code,
        filter=filter_, total=total, done=0, results=[],
        site_ids=[str(one) for one in filter_.pop("site_ids", [])], created_at=now(),
    )  # fmt: skip
    outcomes = [] if total > AT_ONCE else _decide_part(bulk, who, verdict.hold_back)
    if "items" in filter_ and total <= AT_ONCE and not bulk.done:
        return replace(_finished(bulk, outcomes), id=None)  # nothing was done, so nothing is to be known
    db.session.add(bulk)
    record(Deed("comments.bulk", who.actor, None, bulk.id, {"decision": verdict.decision, "total": total}))
    return progress(bulk) if total > AT_ONCE else _finished(bulk, outcomes)


def undo(decision_id: UUID, who: Principal) -> Progress:
    """Bring back what stood before a decision, on one comment or on many. A long one becomes a job.

    A job that works is stopped by that, though it may not have begun. Raises NotFound; Forbidden when `who` may not
    decide everywhere where it did, or still does; Conflict when it was undone already; and of one comment, what
    undo_one raises.
    """
    bulk = decisions.locked_bulk(decision_id)
    if bulk:
        _require_all(_covered(bulk), who)
    ids = decisions.decided_by(decision_id, who.sites, limit=AT_ONCE + 1)
    if not ids and (bulk is None or (bulk.state == DONE and not bulk.undone_by)):
        raise _not_there()
    if bulk is None:
        first = min(ids)  # a reply that was written with it is younger, and goes with it
        return Progress(decision_id, "undone", 1, 1, [Outcome(first, undo_one(decision_id, first, who).status)])
    if bulk.undone_by:
        raise Conflict("This was undone already.")
    record(Deed("comments.undone", who.actor, None, bulk.id, {"total": bulk.done}))
    bulk.undone_by, bulk.total, bulk.done, bulk.results = who.actor, bulk.done, 0, []
    bulk.state, bulk.finished_at = WORKING, None
    return progress(bulk) if len(ids) > AT_ONCE else _finished(bulk, _undo_part(bulk, who))


def _not_there() -> NotFound:
    return NotFound("There is no decision by that id that could be undone.")


def _covered(bulk: BulkDecision) -> set[UUID]:
    """The sites on which a bulk decision changed something; while it works, also those on which it yet may."""
    found = decisions.sites_decided(bulk.id)
    if found and bulk.state == DONE:
        return found
    named = [UUID(one) for one, _ in bulk.filter.get("items", ())]
    return found | set(map(UUID, bulk.site_ids)) | decisions.sites_of(named)


def _require_all(site_ids: set[UUID], who: Principal) -> None:
    """A decision is undone whole, so by nobody who may only on some of its sites."""
    if not all(map(who.role_on, site_ids)):
        raise _not_there()
    for one in site_ids:
        who.require(one, "moderate")


def _finished(bulk: BulkDecision, outcomes: list[Outcome]) -> Progress:
    bulk.state, bulk.finished_at = DONE, now()
    db.session.flush()
    return progress(bulk, outcomes)


def work_bulk(who: Callable[[str], Principal | None], hold_back: float, failed: set[UUID]) -> UUID | None:
    """One part of the oldest bulk decision that is not among the `failed`; which one it was, None when there is none.

    It stands among them until its part is committed and its worker takes it out. `who` finds the actor as they are now.
    """
    bulk = decisions.next_bulk(failed)
    if bulk is None:
        return None
    failed.add(bulk.id)
    principal = who(bulk.undone_by or bulk.actor)
    part = _part(bulk, principal, hold_back) if principal else []
    if len(part) < AT_ONCE:
        _finished(bulk, part)
    db.session.flush()
    return bulk.id


def _part(bulk: BulkDecision, who: Principal, hold_back: float) -> list[Outcome]:
    return _undo_part(bulk, who) if bulk.undone_by else _decide_part(bulk, who, hold_back)


def _decide_part(bulk: BulkDecision, who: Principal, hold_back: float) -> list[Outcome]:
    left = _left(bulk, who)
    verdict = Verdict(bulk.decision, bulk.reason, bulk.reason_code, hold_back=hold_back, id=bulk.id)
    return _noted(bulk, _each(list(left), who, lambda one: decide(one, verdict, who, left[one])))


def _undo_part(bulk: BulkDecision, who: Principal) -> list[Outcome]:
    refused = _refused(bulk)
    found = decisions.decided_by(bulk.id, who.sites, limit=AT_ONCE + len(refused), standing=True)
    left = [one for one in found if one not in refused][:AT_ONCE]
    return _noted(bulk, _each(left, who, lambda one: undo_one(bulk.id, one, who)))


def _each(ids: Sequence[UUID], who: Principal, act: Callable[[UUID], Comment]) -> list[Outcome]:
    """What became of each, in the order asked; one that is refused stops no other."""
    known = queries.in_lock_order(ids, who.sites)
    found = {one: _outcome(one, partial(act, one)) for one in known}
    missing = NotFound("There is no comment by that id, or you have no role on its site.").detail
    return [found.get(one) or Outcome(one, None, missing) for one in ids]


def _outcome(comment_id: UUID, act: Callable[[], Comment]) -> Outcome:
    try:
        return Outcome(comment_id, act().status)
    except Problem as problem:
        current = problem.more.get("current", {})
        wrong = [text["detail"] for texts in (problem.errors or {}).values() for text in texts]
        before = db.session.get(Comment, comment_id) if current else None
        told = (wrong or [problem.detail])[0]
        return Outcome(
            comment_id, current.get("status"), told, current.get("by"), before.decided_by if before else None
        )


def _noted(bulk: BulkDecision, outcomes: list[Outcome]) -> list[Outcome]:
    refused = [one for one in outcomes if one.problem]
    bulk.done += len(outcomes) - len(refused)
    bulk.results = bulk.results + [asdict(one) | {"id": str(one.id)} for one in refused]
    return outcomes


def _refused(bulk: BulkDecision) -> set[UUID]:
    return {UUID(one["id"]) for one in bulk.results}


def _left(bulk: BulkDecision, who: Principal) -> dict[UUID, str | None]:
    """The next part of the bulk, with the versions that were seen."""
    if "items" not in bulk.filter:
        return dict.fromkeys(_pending(bulk, who))
    begun = bulk.done + len(bulk.results)
    return {UUID(one): seen for one, seen in bulk.filter["items"][begun : begun + AT_ONCE]}


def _pending(bulk: BulkDecision, who: Principal) -> list[UUID]:
    """What of the bulk is still pending, on sites where the moderator still may: a role taken away counts at once."""
    allowed = who.site_ids("moderate")
    still = _from_json(bulk.filter | {"site_ids": [one for one in map(UUID, bulk.site_ids) if one in allowed]})
    refused = _refused(bulk)
    found = queries.ids(still, of=bulk, limit=AT_ONCE + len(refused))
    return [one for one in found if one not in refused][:AT_ONCE]
