"""The comments of a page as templates draw them: the public document, the links around it, and the form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask import url_for

from service.comments.routes import address_of, branch_document, thread_document
from service.embed import jsonld
from service.embed.drawing import own_url
from service.embed.forms import Form, Terms, answered
from service.sites import queries as sites
from service.sites.models import Site
from service.sites.terms import why_closed

FORM_ANCHOR = "greenroom-form"
_ROOTS = 50
"""Comments at a time, replies not counted."""


@dataclass(frozen=True)
class Links:
    """Where the links of a thread lead: to the page it stands on, or from somebody else's page to ours."""

    endpoint: str
    kept: Mapping[str, str | None] = field(default_factory=dict)
    reply_endpoint: str | None = None
    """Where replies are written, when not below the thread itself."""
    absolute: bool = False

    def thread(self, anchor: str | None = None, **query: str | None) -> str:
        return self._to(self.endpoint, anchor, query)

    def reply(self, comment_id: str) -> str:
        return self._to(self.reply_endpoint or self.endpoint, FORM_ANCHOR, {"reply": comment_id})

    def _to(self, endpoint: str, anchor: str | None, query: Mapping[str, str | None]) -> str:
        values: dict[str, Any] = {**self.kept, **query}
        path = url_for(endpoint, _anchor=anchor, **values)
        return own_url(path) if self.absolute else path


@dataclass(frozen=True)
class Section:
    """The section `Comments` of a page."""

    terms: Terms
    document: dict[str, Any]
    """`comments.routes.thread_document`: nothing here that the API does not tell everybody."""
    links: Links
    form: Form
    closed: str | None = None
    """Why nobody can write; None while everybody can."""
    posted: str | None = None
    """`held` or `approved`, right after somebody posted."""
    sort: str = "oldest"
    branch: bool = False
    """Only one comment and its replies are shown."""
    language: str = "en"

    @cached_property
    def names(self) -> dict[str, str]:
        """Who wrote which comment, for replies that stand apart from what they answer."""
        return {one["id"]: one["author"]["name"] for one in _walk(self.document["comments"]) if "author" in one}

    @cached_property
    def rating_data(self) -> dict[str, Any] | None:
        return jsonld.rating_data(self.document, self.terms.schema_type)


def compose(site: Site, terms: Terms, query: Mapping[str, Any], links: Links) -> Section:
    """The section that a query (schemas.ThreadQuery) asks for. Invalid or NotFound as the API has them."""
    page, cursor = query["page"], query["cursor"]
    if query["comment"]:
        document = branch_document(site, page=page, comment_id=query["comment"], limit=_ROOTS, cursor=cursor)
    else:
        document = thread_document(site, page=page, sort=query["sort"], limit=_ROOTS, cursor=cursor)
    return Section(
        terms=terms,
        document=document,
        links=links,
        form=_form(site, terms, query, links),
        closed=why_closed(sites.page_at(site, address_of(site, page).key)),
        posted=query["posted"],
        sort=query["sort"],
        branch=query["comment"] is not None,
        language=query["lang"] or terms.language,
    )


def _form(site: Site, terms: Terms, query: Mapping[str, Any], links: Links) -> Form:
    """The form below a thread. On somebody else's page it is stored with the thread, so it has no time token."""
    answers = answered(site, query["page"], query["reply"])
    asked = {"page": query["page"], "page_title": query["page_title"], "redirect_to": query["redirect_to"]}
    path = url_for("embed.create", site=terms.site)
    return Form(
        terms=terms,
        values=asked | ({"parent_id": answers.id} if answers else {}),
        action=own_url(path) if links.absolute else path,
        token=None if links.absolute else terms.token,
        answers=answers,
        lost=query["reply"] is not None and answers is None,
        cancel=links.thread(anchor=FORM_ANCHOR),
    )


def _walk(comments: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in comments:
        yield one
        yield from _walk(one["replies"])
