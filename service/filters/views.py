"""Saved filters as moderators see them, each with how many comments it matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from service.accounts.principal import Principal
from service.errors import Problem
from service.filters import queries
from service.filters.models import SavedFilter
from service.filters.schemas import List
from service.moderation.queries import Filter
from service.moderation.routes import filter_over
from service.moderation.scope import sites_of
from service.sites.models import Site


def listed(who: Principal) -> list[dict[str, Any]]:
    """One's own and those that are shared, by name. What a filter is about may be gone: then it is not shown."""
    sites = sites_of(None, "read")
    return told(queries.saved(who.moderator_id, [one.id for one in sites]), sites, who)


def told(found: Sequence[SavedFilter], sites: Sequence[Site], who: Principal) -> list[dict[str, Any]]:
    by_key, keys = {one.key: one for one in sites}, {one.id: one.key for one in sites}
    shown = [(one, wanted) for one in found if (wanted := _filter(one, by_key))]
    counts = queries.counts([wanted for _, wanted in shown])
    return [view(one, keys, who) | {"count": count} for (one, _), count in zip(shown, counts, strict=True)]


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
