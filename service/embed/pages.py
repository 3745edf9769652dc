"""Whole pages: the form by itself, with what was typed and what is wrong; and any problem, for a browser."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, g, request, url_for

from service.comments.routes import address_of
from service.doors import StrictParser
from service.embed import mine
from service.embed.drawing import draw, private
from service.embed.forms import Answered, Form, Terms, Typed, answered, read
from service.errors import Problem
from service.sites.origins import this_site

FORM_DOOR = "embed.create"
_LOST_ON_THE_WAY = (403, 404, 405, 413, 415)
"""Refusals after which there is no form to draw: foreign, unknown, or not read at all."""


def terms() -> Terms:
    """What is known about the site of this request."""
    noted: Terms | None = g.get("embed_terms")
    return noted or Terms(site=(request.view_args or {}).get("site", ""))


def asked(schema: ma.Schema) -> dict[str, Any]:
    """What the address asks for; names that the schema does not have belong to somebody else."""
    query: dict[str, Any] = StrictParser().parse(schema, request, location="query", unknown=ma.EXCLUDE)
    return query


def problem_page(problem: Problem) -> Response:
    """Any problem as a page. What was typed into a comment form stands in the form again."""
    if request.endpoint == FORM_DOOR and _keeps_words(problem):
        return form_page(read(request.form), problem=problem)
    if request.endpoint == mine.DOOR:
        return mine.problem_page(problem)
    origins = terms().origins if request.blueprint == "embed" else ()
    return private(draw("problem.html", origins=origins, status=problem.status, problem=problem))


def _keeps_words(problem: Problem) -> bool:
    return problem.slug == "thread-closed" or problem.status not in _LOST_ON_THE_WAY


def form_page(
    typed: Typed, *, problem: Problem | None = None, preview: str | None = None, cancel: str | None = None
) -> Response:
    """The form by itself, as it was typed, with a fresh time token."""
    page = typed.values.get("page", "")
    # With the database away the words must still come back.
    reachable = terms().known and not (problem and problem.status >= 500)
    answers = _answered(typed) if reachable else None
    lost = reachable and answers is None and "parent_id" in typed.values
    form = Form(
        terms=terms(),
        # A comment that is gone can never be answered: what is sent next is one of its own.
        values={name: value for name, value in typed.values.items() if not (lost and name == "parent_id")},
        action=url_for(FORM_DOOR, site=terms().site),
        token=terms().token,
        answers=answers,
        lost=lost,
        cancel=cancel,
        problem=problem,
        preview=preview,
    )
    back = _url_of(page) if reachable else None
    status = problem.status if problem else 200
    return private(draw("alone.html", origins=terms().origins, status=status, form=form, back=back))


def closed_page(why: str, page: str) -> Response:
    """In place of the form, where nobody can write."""
    thread = url_for("embed.thread", site=terms().site, page=page)
    return private(draw("alone.html", origins=terms().origins, closed=why, back=_url_of(page), thread=thread))


def _answered(typed: Typed) -> Answered | None:
    return answered(this_site(), typed.values.get("page", ""), typed.values.get("parent_id"))


def _url_of(page: str) -> str | None:
    try:
        return address_of(this_site(), page).url
    except Problem:
        return None
