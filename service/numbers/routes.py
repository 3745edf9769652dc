"""The door of the numbers."""

from __future__ import annotations

from typing import Any

from service.accounts.guard import guarded
from service.accounts.principal import name_of
from service.comments.schemas import timestamp
from service.comments.status import STATUSES
from service.doors import GuardedDoor
from service.moderation.scope import sites_of
from service.numbers import operations, queries, schemas
from service.numbers.operations import Tally, most_first

bp = GuardedDoor("numbers", __name__, url_prefix="/v1/moderation", description="How the queue is doing.")
_COUNTS = tuple(schemas.TallyView().fields)


@bp.route("/stats")
@guarded("read")
@bp.arguments(schemas.StatsQuery, location="query")
@bp.response(200, schemas.Stats)
def read_stats(query: dict[str, Any]) -> dict[str, Any]:
    """What waits and for how long; what was decided, by hour, day, moderator and reason."""
    found = {site.id: site.key for site in sites_of(query["site"], "read")}
    sizes = queries.sizes(list(found))
    numbers = operations.numbers(list(found), query["since"])
    return {
        "sites": [dict.fromkeys(STATUSES, 0) | sizes[site_id] | {"site": key} for site_id, key in found.items()],
        "pending": numbers.pending,
        "oldest_pending_at": timestamp(numbers.oldest_at),
        "age": numbers.ages,
        "overdue": [_late(one) for one in operations.late(list(found))],
        "since": timestamp(numbers.since),
        "decided": numbers.total,
        "hours": [_view(one, begins_at=timestamp(at)) for at, one in numbers.hours.items()],
        "days": [_view(one, begins_at=timestamp(at)) for at, one in numbers.days.items()],
        "moderators": [_view(one, actor=actor, name=name_of(actor)) for actor, one in most_first(numbers.moderators)],
        "reasons": [_view(one, reason=code) for code, one in most_first(numbers.reasons)],
    }


def _view(one: Tally, **more: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _COUNTS} | more


def _late(one: operations.Late) -> dict[str, Any]:
    return {
        "site": one.site.key,
        "target_age_minutes": one.minutes,
        "oldest_pending_at": timestamp(one.oldest_at),
    }
