"""The page of numbers: what waits, for how long, and what was decided."""

from __future__ import annotations

from typing import Any

from flask import Response

from service.accounts.guard import guarded
from service.desk import schemas, views, words
from service.desk.pages import draw
from service.desk.plots import plot
from service.desk.ui import bp, parser
from service.moderation.scope import sites_of
from service.numbers import operations
from service.numbers.operations import Ages, most_first


@bp.route("/numbers")
@guarded("read")
def numbers() -> Response:
    """How the queue of my sites, or of one of them, is doing."""
    query = parser.parse(schemas.Numbers(), location="query")
    ids = [one.id for one in sites_of(query["site"], "read")]
    found = operations.numbers(ids)
    return draw(
        "numbers.html",
        sites=sites_of(None, "read"),
        site=query["site"],
        pending=found.pending,
        ages=_ages(found.ages),
        late=views.late(operations.late(ids)),
        total=found.total,
        hours=plot(found.hours, "%H:%M"),
        days=plot(found.days, "%Y-%m-%d"),
        moderators=[(words.actor(actor), one) for actor, one in most_first(found.moderators)],
        reasons=[(words.reason(code), one) for code, one in most_first(found.reasons)],
    )


def _ages(ages: Ages) -> dict[str, Any]:
    told = {"p50": ages.p50, "p95": ages.p95, "oldest": ages.oldest}
    return {name: words.span(seconds) if seconds is not None else None for name, seconds in told.items()}
