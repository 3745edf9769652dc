"""The front page and what stands in for the demo's site in development; in production a word about the service."""

from __future__ import annotations

from flask import Response, request, url_for
from werkzeug.exceptions import NotFound as NoRoute

from service.comments.routes import address_of
from service.doors import settings
from service.embed.drawing import draw, own_url, private
from service.embed.forms import Terms
from service.embed.pages import asked
from service.embed.schemas import ThreadQuery
from service.embed.section import Links, compose
from service.errors import NotFound, Problem
from service.sites import queries as sites
from service.sites.models import Site

SITE = "demo"
PAGE = "/"
TITLE = "The Salt Ledger"
_FIXED = ("page", "page_title", "redirect_to")


def _site() -> Site | None:
    return None if settings().production else sites.site_of(SITE)


def home() -> Response:
    """`/`: the demo review where there is a site `demo`; never in production."""
    site = _site()
    if site is None:
        return draw("welcome.html")
    terms = Terms.of(site)
    query = asked(ThreadQuery(exclude=_FIXED)) | {"page": PAGE, "page_title": TITLE, "redirect_to": own_url(PAGE)}
    query["posted"] = "held" if request.args.get("greenroom") == "held" else None
    section = compose(site, terms, query, Links("embed.home"))
    return private(draw("demo.html", origins=terms.origins, fonts=True, section=section))


def miss_imported() -> None:
    """Before any request: say of an address that only an import knows where its comments are; never in production."""
    if not isinstance(request.routing_exception, NoRoute):
        return
    site, path = _site(), request.full_path.removesuffix("?")
    if site and _knows(site, path):
        comments = url_for("embed.thread", site=SITE, page=path)
        raise NotFound("The demo has the comments of this page, but not the page itself.", comments=comments)


def _knows(site: Site, path: str) -> bool:
    try:
        return sites.page_at(site, address_of(site, path).key) is not None
    except Problem:
        return False
