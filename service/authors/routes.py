"""The doors for authors: all that was written under a token, and what its holder may do with it."""

from __future__ import annotations

from functools import wraps
from typing import Any
from uuid import UUID

from flask import Response, g, request

from service.authors import operations, queries, schemas, views
from service.authors.operations import Changes
from service.comments.models import Author
from service.comments.operations import token_digest
from service.comments.routes import author_token
from service.comments.schemas import ListQuery
from service.db import transaction
from service.doors import TEXT_BODY, OpenDoor, View, answer, per_address, takes, tells
from service.errors import NoAuthor
from service.pagination import Position, read_cursor, write_cursor
from service.sites.models import Site
from service.sites.origins import allow_origin, check_poster
from service.sites.queries import is_listed

bp = OpenDoor("authors", __name__, url_prefix="/v1/mine", description="One's own comments, by an author's token.")
bp.after_request(allow_origin)
_BY_TOKEN: list[dict[str, list[str]]] = [{"author": []}]


@bp.url_value_preprocessor
def arrive(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Find the holder of the token, and which pages may read the answer: those of the holder's site.

    Without one, those of any site: a preflight carries no token, and a page ought to learn that one is dead.
    """
    recognise(author_token() if request.method != "OPTIONS" else None)
    origin = request.headers.get("Origin")
    if g.holder:
        g.origins = list(g.holder[1].origins)
    elif origin:
        g.origins = [origin] if is_listed(origin) else []


def recognise(token: str | None) -> None:
    """Note whose token it is. Whatever is wrong with one, finding out takes the same time."""
    g.holder = queries.holder(token_digest(token or ""))


def this_author() -> tuple[Author, Site]:
    """Who shows the token, and their site. NoAuthor (401) when it is nobody's."""
    found: tuple[Author, Site] | None = g.get("holder")
    if found is None:
        raise NoAuthor()
    return found


def for_authors(view: View) -> View:
    """Nobody else (401), whatever they sent."""

    @wraps(view)
    def for_one(*args: Any, **kwargs: Any) -> Any:
        this_author()
        return view(*args, **kwargs)

    return for_one  # type: ignore[return-value]


@bp.route("")
@per_address("mine")
@for_authors
@bp.arguments(ListQuery, location="query")
@bp.response(200, schemas.Mine)
@bp.doc(security=_BY_TOKEN)
@tells(401)
def read(query: dict[str, Any]) -> Response:
    """All that was written under the token, the newest first."""
    author, _ = this_author()
    return _private(answer(document(author, **query)))


def document(author: Author, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """What an author wrote, as the API tells it; their page shows the same."""
    found = queries.written_by(author.id, after=position(author, cursor), limit=limit)
    return {"comments": views.every(found.rows), "next": write_cursor(found.next, "mine", author.id)}


def position(author: Author, cursor: str | None) -> Position | None:
    """Where a page of an author's comments begins. Invalid when the cursor is none of theirs."""
    return read_cursor(cursor, "mine", author.id)


@bp.route("", methods=["PATCH"])
@takes(TEXT_BODY)
@per_address("mine")
@for_authors
@bp.arguments(schemas.OwnEdit)
@bp.response(200, schemas.OwnComment)
@bp.doc(security=_BY_TOKEN)
@tells(401, 403, 409, 412, headers=("If-Match",))
def edit(values: dict[str, Any]) -> Response:
    """Change a text, or stop mail. What waits is changed in place; of what is published, the change waits."""
    author, site = this_author()
    check_poster(site)
    wanted = Changes(values.get("body"), values.get("notify"), request.headers.get("If-Match"))
    with transaction():
        told = views.one(operations.change(author, values["id"], wanted))
    response = _private(answer(told))
    response.headers["ETag"] = f'"{told["version"]}"'
    return response


@bp.route("", methods=["DELETE"])
@per_address("mine")
@for_authors
@bp.arguments(schemas.OwnRemoval, location="query")
@bp.response(204)
@bp.doc(security=_BY_TOKEN)
@tells(401, 403)
def remove(query: dict[str, Any]) -> Response:
    """Withdraw one comment, or have everything erased for good."""
    author, site = this_author()
    check_poster(site)
    with transaction():
        take_away(author, query.get("comment"))
    return _private(Response(status=204))


def take_away(author: Author, comment_id: UUID | None) -> None:
    """Withdraw a comment; without one, erase all that is the author's."""
    if comment_id:
        operations.withdraw(author, comment_id)
    else:
        operations.erase(author.id)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Authorization")
    return response
