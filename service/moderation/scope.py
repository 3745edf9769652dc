"""Names in a request → sites and pages that the principal may see."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from service.accounts.guard import principal
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
