"""Keep a filter under a name, and let go of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.accounts.principal import Principal
from service.audit.operations import Deed, record
from service.db import db, new_id, now
from service.errors import Conflict, Invalid, NotFound
from service.filters import queries
from service.filters.models import SavedFilter
from service.sites.models import Site

AT_MOST = 20
"""Filters of one person."""


@dataclass(frozen=True)
class Kept:
    """What is to be kept: a name, and what a list is asked for by. `share`: the site whose moderators see it too."""

    name: str
    query: dict[str, Any]
    share: Site | None = None


def save(what: Kept, who: Principal) -> SavedFilter:
    """Keep a filter. Conflict when somebody has AT_MOST already, Invalid when it is shared off the site it is about."""
    if queries.kept_by(who.moderator_id) >= AT_MOST:
        raise Conflict(f"You have {AT_MOST} filters already. Delete one that you need no more.")
    query, site_id = what.query, None
    if what.share:
        who.require(what.share.id, "manage")
        site_id, query = what.share.id, {"site": what.share.key} | query
        if query["site"] != what.share.key:
            raise Invalid.field("share", "site", "A filter can be shared on the site that it is about.")
    made = SavedFilter(
        id=new_id(), moderator_id=who.moderator_id, site_id=site_id, name=what.name, filter=query, created_at=now()
    )
    db.session.add(made)
    db.session.flush()
    record(Deed("filter.saved", who.actor, site_id, made.id, {"name": made.name, "filter": query}))
    return made


def delete(filter_id: UUID, who: Principal) -> None:
    """Let go of a filter: one's own, or one that is shared on a site of which one is an owner.

    NotFound when it is neither one's own nor shared on one's sites, in the words of one that is not there.
    """
    found = queries.saved_one(filter_id, who.moderator_id, who.sites)
    if found is None:
        raise NotFound("There is no saved filter by that id.")
    if found.site_id and found.moderator_id != who.moderator_id:
        who.require(found.site_id, "manage")
    db.session.delete(found)
    db.session.flush()
    record(Deed("filter.deleted", who.actor, found.site_id, found.id, {"name": found.name}))
