"""One's own comments on a page: the private link is posted, never asked for, so that no address ever holds a token.

Everything is a plain form. The page's script only takes the token out of the link's fragment and posts it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, g, request

from service.authors import routes as authors
from service.authors import views
from service.authors.operations import Changes, change
from service.authors.queries import HELD
from service.authors.schemas import OwnEdit, OwnRemoval
from service.comments.models import Author
from service.db import transaction
from service.doors import TEXT_BODY, sender_ip, settings, takes
from service.embed.drawing import draw, private
from service.embed.forms import FORM_TYPES, loaded
from service.errors import NoAuthor, OriginNotAllowed, Problem, WrongMediaType
from service.limits import spend
from service.privacy.seal import rate_key
from service.sites.origins import own_origin

DOOR = "embed.manage"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_AT_ONCE = 20
_LOST_ON_THE_WAY = (400, 403, 413, 415)
"""Refusals after which nothing that was typed is shown again: it may not even have been read."""


@dataclass(frozen=True)
class Typed:
    """What a form of the page sent. `deed`: what its button does; `seen`: the version beside it."""

    token: str = ""
    deed: str = "show"
    comment: str = ""
    seen: str = ""
    body: str = ""
    sure: str = ""
    cursor: str = ""


def entry() -> Response:
    """The page before a private link is there."""
    return _drawn("mine.html")


@takes(TEXT_BODY)
def manage() -> Response:
    """Do what a form of the page asks, and show what was written under its token."""
    if request.mimetype not in FORM_TYPES:
        raise WrongMediaType(f"Send a form: {' or '.join(FORM_TYPES)}.")
    _check_sender()
    spend(settings().limit_mine, "mine", rate_key(sender_ip()))
    typed = read(request.form)
    authors.recognise(typed.token)
    author, _ = authors.this_author()
    authors.position(author, typed.cursor or None)  # now: what is refused must not have been done
    done = _DEEDS.get(typed.deed, _show)(author, typed)
    if typed.deed == "erase":
        return _drawn("mine.html", done=done)
    return _list(typed, done=done)


def read(form: Mapping[str, str]) -> Typed:
    """What was typed; a whole private link is as good as its token."""
    found = {name: form[name] for name in Typed.__dataclass_fields__ if name in form}
    return Typed(**found | {"token": found.get("token", "").rpartition("#")[2].strip()})


def _check_sender() -> None:
    """Refuse (403) what a page of somebody else sent.

    This page tells no referrer, so browsers send its forms with the Origin `null`; then they say in
    Sec-Fetch-Site where it comes from, or are too old to.
    """
    where = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin", own_origin())
    if where not in ("same-origin", "none") or origin not in ("null", own_origin()):
        raise OriginNotAllowed()


def _show(_author: Author, _typed: Typed) -> str:
    return ""


def _edit(author: Author, typed: Typed) -> str:
    values = loaded(OwnEdit(), {"id": typed.comment, "body": typed.body})
    with transaction():
        comment = change(author, values["id"], Changes(values["body"], seen=f'"{typed.seen}"' if typed.seen else None))
        told = views.one(comment)
    if told["revision"] and told["revision"]["state"] == HELD:
        return "Your change waits for a moderator. Until then the text stays as it is."
    if told["status"] == "approved":
        return "The published text stays as it is. No change of yours waits."
    return "Your change is saved."


def _stop(author: Author, typed: Typed) -> str:
    values = loaded(OwnEdit(), {"id": typed.comment, "notify": False})
    with transaction():
        change(author, values["id"], Changes(notify=False))
    return "You will get no mail about answers to this comment."


def _withdraw(author: Author, typed: Typed) -> str:
    values = loaded(OwnRemoval(), {"comment": typed.comment})
    with transaction():
        authors.take_away(author, values["comment"])
    return "Your comment is withdrawn."


def _erase(author: Author, typed: Typed) -> str:
    loaded(OwnRemoval(), {"everything": typed.sure})
    with transaction():
        authors.take_away(author, None)
    return "Everything of yours is erased. The private link is of no use any more."


_DEEDS: dict[str, Callable[[Author, Typed], str]] = {
    "edit": _edit, "stop": _stop, "withdraw": _withdraw, "erase": _erase,
}  # fmt: skip


def _list(typed: Typed, **told: Any) -> Response:
    author, site = authors.this_author()
    found = authors.document(author, limit=_AT_ONCE, cursor=typed.cursor or None)
    return _drawn("mine.html", site=site.name, typed=typed, **found, **told)


def problem_page(problem: Problem) -> Response:
    """A problem of this page's forms: what was typed is there again, beside what it was about."""
    if isinstance(problem, NoAuthor):
        return _drawn("mine.html", problem.status, problem=problem)
    if problem.status in _LOST_ON_THE_WAY:
        return _drawn("problem.html", problem.status, problem=problem)
    typed = read(request.form)
    if problem.status == 429 or problem.status >= 500 or g.get("holder") is None:
        return _drawn("mine_again.html", problem.status, problem=problem, typed=typed)
    whole = replace(typed, cursor="") if "cursor" in (problem.errors or {}) else typed
    return _list(whole, status=problem.status, problem=problem)


def _drawn(template: str, status: int = 200, **told: Any) -> Response:
    response = private(draw(template, status=status, **told))
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
