"""The front page and what stands in for the demo's site in development; in production a word about the service."""

from __future__ import annotations

from flask import Response, request, url_for
from werkzeug.exceptions import NotFound as NoRoute

from service.comments.routes import address_of
from service.doors import settings
from service.embed.drawing import draw
from service.errors import NotFound, Problem
from service.sites import queries as sites
from service.sites.models import Site

SITE = "demo"
PAGE = "/"
TITLE = "The Salt Ledger"
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; font-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types greenroom"
)
"""As strict as a page can be that has comments."""


def _site() -> Site | None:
    return None if settings().production else sites.site_of(SITE)


def home() -> Response:
    """`/`: the demo review, with the tag, where there is a site `demo`; never in production."""
    if _site() is None:
        return draw("welcome.html")
    comments = url_for("embed.thread", site=SITE, page=PAGE, page_title=TITLE)
    page = draw("demo.html", comments=comments, widget=url_for("widget.entry"))
    page.headers["Content-Security-Policy"] = POLICY
    return page


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
