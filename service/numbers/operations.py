"""Count what waits and what was decided; tell of a queue that waits longer than its site wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from service.comments.events import EVENT_OF
from service.comments.schemas import timestamp
from service.db import now
from service.errors import Invalid
from service.numbers import queries
from service.numbers.queries import Decided
from service.sites.models import Site
from service.webhooks.outbox import announce

HOURS, DAYS = 24, 30
LONGEST = timedelta(days=366)
_FLOOD, _OF_MANY = timedelta(minutes=10), 60
"""A flood is that many comments in that time, if they are also five times as many as in the week before it."""
_USUAL, _TIMES = timedelta(days=7), 5
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass
class Tally:
    """Decisions by where they led, and how many of them were undone or decided otherwise later."""

    approved: int = 0
    rejected: int = 0
    spam: int = 0
    deleted: int = 0
    restored: int = 0
    overturned: int = 0

    @property
    def decisions(self) -> int:
        return self.approved + self.rejected + self.spam + self.deleted + self.restored

    @property
    def others(self) -> int:
        """Those that published nothing."""
        return self.decisions - self.approved

    def add(self, one: Decided) -> None:
        name = _KINDS[one.action]
        setattr(self, name, getattr(self, name) + one.count)


_KINDS = {action: action.removeprefix("comment.") for action in EVENT_OF.values()}


@dataclass(frozen=True)
class Ages:
    """How long what waits has been waiting, in seconds; None when nothing waits."""

    p50: int | None = None
    p95: int | None = None
    oldest: int | None = None


@dataclass(frozen=True)
class Numbers:
    """How the queue of some sites is doing. Hours and days are UTC's, each with its beginning, without gaps."""

    since: datetime
    pending: int
    oldest_at: datetime | None
    ages: Ages
    total: Tally = field(default_factory=Tally)
    hours: dict[datetime, Tally] = field(default_factory=dict)
    days: dict[datetime, Tally] = field(default_factory=dict)
    moderators: dict[str, Tally] = field(default_factory=dict)
    """By actor, as the audit log writes one."""
    reasons: dict[str, Tally] = field(default_factory=dict)
    """By the code of what held a comment."""


def numbers(site_ids: Sequence[UUID], since: datetime | None = None) -> Numbers:
    """What waits now, and what was decided `since` (by default the last 30 days). Invalid when that is too long ago."""
    moment = now()
    today, hour = _begun(moment, _DAY), _begun(moment, _HOUR)
    begin = _checked(since, moment) if since else today - (DAYS - 1) * _DAY
    waiting = queries.pending(site_ids)
    oldest = queries.waiting_since(site_ids, 1) if waiting else None
    found = Numbers(begin, waiting, oldest, _ages(site_ids, waiting, moment))
    hours = (hour - n * _HOUR for n in reversed(range(HOURS)))
    found.hours.update({at: Tally() for at in hours if at >= _begun(begin, _HOUR)})
    found.days.update({day: Tally() for day in _days(_begun(begin, _DAY), today)})
    for one in queries.by_hour_and_actor(site_ids, begin):
        for tally in _tallies(found, one):
            tally.add(one)
    for one in queries.by_reason(site_ids, begin):
        found.reasons.setdefault(one.reason or "", Tally()).add(one)
    for ones in queries.overturned(site_ids, begin).values():
        reasons = (found.reasons.setdefault(one.reason, Tally()) for one in ones if one.reason)
        for tally in (*_tallies(found, ones[0]), *reasons):
            tally.overturned += 1
    return found


def _ages(site_ids: Sequence[UUID], waiting: int, moment: datetime) -> Ages:
    """By the nearest rank: 95 of 100 that wait have waited at most as long as p95 says."""
    ranks = {"p50": waiting - -(-waiting * 50 // 100) + 1, "p95": waiting - -(-waiting * 95 // 100) + 1, "oldest": 1}
    if not waiting:
        return Ages()
    return Ages(**{name: _age(queries.waiting_since(site_ids, rank), moment) for name, rank in ranks.items()})


def _checked(since: datetime, moment: datetime) -> datetime:
    if not moment - LONGEST <= since <= moment:
        raise Invalid.field("since", "range", f"Choose a time in the last {LONGEST.days} days.")
    return since.astimezone(UTC)


def _begun(moment: datetime, step: timedelta) -> datetime:
    at = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return at.replace(hour=0) if step == _DAY else at


def _days(first: datetime, last: datetime) -> Iterable[datetime]:
    return (first + n * _DAY for n in range((last - first).days + 1))


def _age(since: datetime | None, moment: datetime) -> int | None:
    return max(0, int((moment - since).total_seconds())) if since else None


def _tallies(found: Numbers, one: Decided) -> list[Tally]:
    """Where a decision counts, whatever it was held for."""
    assert one.hour and one.actor
    timed = (found.hours.get(one.hour), found.days.get(_begun(one.hour, _DAY)))
    return [found.total, found.moderators.setdefault(one.actor, Tally()), *(tally for tally in timed if tally)]


def most_first(tallies: dict[str, Tally]) -> list[tuple[str, Tally]]:
    """Whoever, or whatever, has most decisions first."""
    return sorted(tallies.items(), key=lambda one: (-one[1].decisions, one[0]))


@dataclass(frozen=True)
class Late:
    """A queue whose oldest comment waits longer than its site wants."""

    site: Site
    oldest_at: datetime
    minutes: int
    """The target."""


def late(site_ids: Sequence[UUID] | None = None) -> list[Late]:
    """The queues of some sites, or of all, that are overdue now."""
    found = []
    for site, since in queries.queues(site_ids):
        target = site.target_age_minutes
        if since and target and since + timedelta(minutes=target) < now():
            found.append(Late(site, since, target))
    return found


def watch() -> int:
    """Announce each queue that has become overdue: once, and again only after it was within its target; how many."""
    overdue = late()
    fresh = [one for one in overdue if queries.note_overdue(one.site.id, now())]
    for one in fresh:
        announce("queue.overdue", one.site.id, one.site.id, {"queue": _queue(one)})
    queries.forget_overdue([one.site.id for one in overdue])
    return len(fresh)


def watch_floods() -> int:
    """Announce each site that gets unusually many comments: once, and again only after it was as usual; how many."""
    since = now() - _FLOOD
    flooded = [(site, number) for site, number in queries.arrived(since, _OF_MANY) if number >= _TIMES * _usual(site)]
    fresh = [(site, number) for site, number in flooded if queries.note_flood(site.id, now())]
    for site, number in fresh:
        told = {"site": site.key, "comments": number, "minutes": int(_FLOOD.total_seconds() // 60)}
        announce("flood.started", site.id, site.id, {"flood": told})
    queries.forget_floods([site.id for site, _ in flooded])
    return len(fresh)


def _usual(site: Site) -> float:
    """Comments that a site got in as long a time, on average, in the week before."""
    until = now() - _FLOOD
    return queries.arrived_at(site.id, until - _USUAL, until) * (_FLOOD / _USUAL)


def _queue(one: Late) -> dict[str, Any]:
    return {
        "site": one.site.key,
        "pending": queries.pending([one.site.id]),
        "oldest_pending_at": timestamp(one.oldest_at),
        "target_age_minutes": one.minutes,
    }
