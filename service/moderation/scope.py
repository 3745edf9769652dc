"""Names in a request → sites and pages that the principal may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from service.accounts.guard import principal
from service.accounts.queries import actors_of
from service.audit.models import INSTALL
from service.audit.queries import Asked
from service.errors import Invalid, NotFound
from service.sites import queries as sites
from service.sites.addresses import Address, BadPage, ForeignPage, canonical
from service.sites.models import Page, Site


def sites_of(key: str | None, scope: str) -> Sequence[Site]:
    """The one site by that key, or every site on which the principal has the scope.

    NotFound for a foreign one, in the very words of a missing one: nobody learns what other sites hold.
    """
    if key is None:
        allowed = principal().site_ids(scope)
        return [site for site in sites.sites() if site.id in allowed]
    return [site_of(key, scope)]


def site_of(key: str, scope: str) -> Site:
    site = sites.site_of(key)
    if site is None or principal().role_on(site.id) is None:
        raise NotFound("There is no site by that name.")
    principal().require(site.id, scope)
    return site


def chains_of(site: str | None) -> dict[str, str]:
    """The chains of the audit log that the principal may see, each with its site's key; of one site, or of all."""
    found = {str(one.id): one.key for one in sites_of(site, "moderate")}
    if principal().is_admin and site is None:
        found[INSTALL] = ""
    return found


def links_of(query: Mapping[str, Any]) -> Asked:
    """Which links of the audit log a query asks for."""
    return Asked(
        subject_id=query["subject"],
        action=query["action"],
        actors=actors_of(query["moderator"]) if query["moderator"] else None,
        since=query["since"],
        until=query["until"],
    )


def address_of(site: Site, page: str) -> Address:
    try:
        return canonical(page, origins=site.origins)
    except (BadPage, ForeignPage) as error:
        raise Invalid.field("page", "page", str(error)) from error


def page_id_of(among: Sequence[Site], page: str | None) -> UUID | None:
    """The page at an address of the one site asked for; an id that nobody has when it was never written on."""
    if page is None:
        return None
    if len(among) != 1:
        raise Invalid.field("page", "site", "Say which site the page is on.")
    found = sites.page_at(among[0], address_of(among[0], page).key)
    return found.id if found else UUID(int=0)


def page_of(page_id: UUID, scope: str) -> Page:
    """A page by its id. NotFound when it is not there, or on a site where the principal has no role."""
    page = sites.page_by_id(page_id, principal().sites)
    if page is None:
        raise NotFound("There is no page by that id.")
    principal().require(page.site_id, scope)
    return page
