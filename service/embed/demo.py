"""The front page: in development a review with comments below it, else a word about the service."""

from __future__ import annotations

from flask import Response, request

from service.doors import settings
from service.embed.drawing import draw, own_url, private
from service.embed.forms import Terms
from service.embed.pages import asked
from service.embed.schemas import ThreadQuery
from service.embed.section import Links, compose
from service.sites import queries as sites

SITE = "demo"
PAGE = "/"
TITLE = "The Salt Ledger"
_FIXED = ("page", "page_title", "redirect_to")


def home() -> Response:
    """`/`: the demo review where there is a site `demo`; never in production."""
    site = None if settings().production else sites.site_of(SITE)
    if site is None:
        return draw("welcome.html")
    terms = Terms.of(site)
    query = asked(ThreadQuery(exclude=_FIXED)) | {"page": PAGE, "page_title": TITLE, "redirect_to": own_url(PAGE)}
    query["posted"] = "held" if request.args.get("greenroom") == "held" else None
    section = compose(site, terms, query, Links("embed.home"))
    return private(draw("demo.html", origins=terms.origins, fonts=True, section=section))
