"""Make and change sites and pages."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from service.audit.operations import Deed, record
from service.db import db, new_id, now
from service.errors import Conflict, Invalid
from service.sites import queries, reasons
from service.sites.addresses import Address, BadPage, canonical, normal_origin
from service.sites.events import page_view
from service.sites.models import Page, Site
from service.webhooks.outbox import announce

WORD_LISTS = {"hold_words", "spam_words"}
_TOLD = 100
"""Words of a changed list that are written down."""


@dataclass(frozen=True)
class Scale:
    """What ratings a site takes: up to `maximum`, in whole or half steps, from the first step on."""

    maximum: float
    halves: bool

    @property
    def step(self) -> float:
        return 0.5 if self.halves else 1.0

    def has(self, value: float) -> bool:
        return self.step <= value <= self.maximum and (value / self.step).is_integer()


def scale_of(site: Site) -> Scale | None:
    return Scale(site.rating_max, site.rating_halves) if site.rating_max else None


def add_site(key: str, name: str, origins: list[str], *, actor: str) -> Site:
    """A new site. Conflict when the key is taken, Invalid when an origin is none."""
    if queries.site_of(key):
        raise Conflict(f"There is a site {key} already.")
    site = Site(id=new_id(), key=key, name=name, origins=_origins(origins))
    db.session.add(site)
    db.session.flush()
    reasons.add_usual(site)
    record(Deed("site.added", actor, site.id, site.id, {"key": key, "name": name}))
    return site


def change_site(site: Site, values: dict[str, Any], *, actor: str) -> None:
    """Set some of a site's settings (already validated by SiteSettings). What stands so already is no change."""
    if "origins" in values:
        values = values | {"origins": _origins(values["origins"])}
    values = {name: value for name, value in values.items() if value != getattr(site, name)}
    if not values:
        return
    before = {name: getattr(site, name) for name in values}
    if values.keys() & {"rating_max", "rating_halves"}:
        _check_scale(site, **{"rating_max": site.rating_max, "rating_halves": site.rating_halves} | values)
    for name, value in values.items():
        setattr(site, name, value)
    db.session.flush()
    record(Deed("site.changed", actor, site.id, site.id, _differing(before, values)))


def _differing(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What to write down of a change. Of lists of words only what came and went, and of that the beginning."""
    told = {"before": dict(before), "after": dict(after)}
    for name in WORD_LISTS & after.keys():
        gone, come = set(before[name]) - set(after[name]), set(after[name]) - set(before[name])
        told["before"][name], told["after"][name] = sorted(gone)[:_TOLD], sorted(come)[:_TOLD]
    return told


def _check_scale(site: Site, rating_max: float | None, rating_halves: bool, **_: Any) -> None:
    if rating_max and queries.has_ratings_off(site, rating_max, halves=rating_halves):
        raise Conflict("There are ratings on another scale already. They would have to be converted.")


def _origins(texts: list[str]) -> list[str]:
    try:
        return [normal_origin(one) for one in texts]
    except ValueError as error:
        raise Invalid.field("origins", "origin", str(error)) from error


def open_page(site: Site, address: Address, title: str, *, actor: str) -> Page:
    """The page at an address, locked; made when it is the first time. Two at once get the same one."""
    page = queries.locked_page_at(site, address.key)
    if page:
        return page
    page = Page(id=new_id(), site_id=site.id, key=address.key, url=address.url, title=title, created_at=now())
    page.site = site
    db.session.add(page)
    db.session.flush()
    if queries.claim_address(site.id, address.key, page.id):
        record(Deed("thread.opened", actor, site.id, page.id))
        announce("thread.opened", site.id, page.id, {"page": page_view(page), "actor": actor})
        return page
    db.session.delete(page)
    db.session.flush()
    winner = queries.locked_page_at(site, address.key)
    assert winner is not None
    return winner


def add_alias(page: Page, address: Address, *, actor: str) -> None:
    """Let another address lead to the page. Conflict when it leads elsewhere."""
    if not queries.claim_address(page.site_id, address.key, page.id):
        other = queries.page_at(page.site, address.key)
        if other is None or other.id != page.id:
            raise Conflict("That address belongs to another page.")
        return
    record(Deed("page.alias", actor, page.site_id, page.id, {"alias": address.key}))


def follow(site: Site, old: str, new: str) -> None:
    """Let the pages of one origin stand on another, which the site has by now. Both addresses lead to them."""
    for page in queries.pages_on(site, old):
        with suppress(BadPage):  # too long there by a digit of the port: it stays where it is
            moved = canonical(f"{new}{(page.url or '').removeprefix(old)}", origins=site.origins)
            if queries.claim_address(site.id, moved.key, page.id) or queries.page_at(site, moved.key) == page:
                page.url = moved.url
    db.session.flush()


def change_page(page: Page, *, actor: str, title: str | None = None, closed: bool | None = None) -> None:
    """Rename, close or reopen a page. One that is reopened counts its age from now on."""
    queries.lock_page(page.id)
    if title is not None and title != page.title:
        record(Deed("page.renamed", actor, page.site_id, page.id, {"before": page.title, "after": title}))
        page.title = title
    # What is closed by its age can still be closed by hand, and then stays so whatever the site's age is.
    is_closed = page.closed_at if closed else page.closed_since()
    if closed is not None and closed != bool(is_closed):
        page.closed_at, page.reopened_at = (now(), page.reopened_at) if closed else (None, now())
        action = "thread.closed" if closed else "thread.opened"
        record(Deed(action, actor, page.site_id, page.id))
        announce(action, page.site_id, page.id, {"page": page_view(page), "actor": actor})
    db.session.flush()
