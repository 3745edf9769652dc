"""Lists as moderators see them: what came last, and filters that are saved, each with how many comments it matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from service.accounts.principal import Principal
from service.comments.schemas import timestamp
from service.errors import Problem
from service.filters import queries
from service.filters.models import SavedFilter
from service.filters.schemas import List
from service.moderation.queries import Filter, common
from service.moderation.routes import filter_over
from service.moderation.scope import sites_of
from service.pagination import Page, Position
from service.sites.models import Site


def place(at: datetime, id_: UUID) -> str:
    """Where a comment stands among those of the same rank, as text that is in the same order."""
    return f"{at.isoformat(timespec='microseconds')} {id_}"


def arrivals(wanted: Filter) -> list[dict[str, Any]]:
    """What came last into a list: where each has its place there, since when, and of which groups it may be one."""
    return [
        {
            "id": one.id,
            "place": place(one.created_at, one.id),
            "risk": one.risk,
            "since": timestamp(one.since),
            "groups": [f"{kind}:{value}" for kind, value in common(one)],
        }
        for one in queries.arrivals(wanted)
    ]


def listed(who: Principal, after: Position | None, limit: int, *, counted: bool = True) -> Page[dict[str, Any]]:
    """One's own and those that are shared, newest first. Unless they are `counted`, nothing of comments is asked."""
    sites = sites_of(None, "read")
    found = queries.saved(who.moderator_id, [one.id for one in sites], after, limit)
    shown = told(found.rows, sites, who) if counted else [view(one, _keys(sites), who) for one in found.rows]
    return Page(shown, found.next)


def told(found: Sequence[SavedFilter], sites: Sequence[Site], who: Principal) -> list[dict[str, Any]]:
    """Filters, each with its count; None where what it is about is gone, or on no site of theirs any more."""
    wanted = {one.id: _filter(one, {site.key: site for site in sites}) for one in found}
    good = {id_: one for id_, one in wanted.items() if one}
    counts = dict(zip(good, queries.counts(list(good.values())), strict=True))
    return [view(one, _keys(sites), who) | {"count": counts.get(one.id)} for one in found]


def _keys(sites: Sequence[Site]) -> dict[UUID, str]:
    return {one.id: one.key for one in sites}


def view(one: SavedFilter, keys: Mapping[UUID, str], who: Principal) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "filter": one.filter,
        "mine": one.moderator_id == who.moderator_id,
        "shared": keys.get(one.site_id) if one.site_id else None,
        "may_delete": one.moderator_id == who.moderator_id or (one.site_id and who.may(one.site_id, "manage")),
    }


def _filter(one: SavedFilter, sites: Mapping[str, Site]) -> Filter | None:
    query = List().load(one.filter)
    among: Sequence[Site] = list(sites.values())
    if query["site"]:
        among = [sites[query["site"]]] if query["site"] in sites else []
    try:
        return filter_over(among, query, "read") if among else None
    except Problem:
        return None
