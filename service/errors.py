"""Problems: what goes wrong, in words for people; the only mapping of exceptions to problem+json (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, request
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import BadHost, HTTPException, default_exceptions

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
FieldErrors = Mapping[str, list[dict[str, str]]]


class Problem(Exception):
    """A refusal with a sentence: becomes problem+json, or a page for a browser."""

    status = 400
    slug = "bad-request"
    detail = "That request cannot be understood."

    def __init__(
        self, detail: str | None = None, *, errors: FieldErrors | None = None,
        headers: Mapping[str, str] | None = None, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.more = more

    def body(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "type": f"/problems/{self.slug}",
            "title": title(self.status),
            "status": self.status,
            "detail": self.detail,
        }
        return document | ({"errors": self.errors} if self.errors else {}) | self.more


class BadRequest(Problem):
    """400"""


class Unauthorized(Problem):
    status, slug, detail = 401, "sign-in-needed", "Sign in, or send a token, to do this."


class NoAuthor(Problem):
    """401: no author has the token that was shown, whatever is wrong with it."""

    status, slug = 401, "author-needed"
    detail = "Nobody has this private link: it is not complete, or everything behind it was erased."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Author"})


class Forbidden(Problem):
    status, slug, detail = 403, "not-allowed", "You may not do this."


class OriginNotAllowed(Problem):
    status, slug = 403, "origin-not-allowed"
    detail = "This page is not on a site that may post here."


class ThreadClosed(Problem):
    status, slug, detail = 403, "thread-closed", "Comments on this page are closed."


class NotFound(Problem):
    status, slug, detail = 404, "not-found", "There is nothing here by that name."


class Conflict(Problem):
    status, slug, detail = 409, "conflict", "That does not fit the present state."


class Duplicate(Conflict):
    slug, detail = "duplicate", "You have already said that here."


class StaleVersion(Problem):
    status, slug, detail = 412, "stale-version", "Somebody changed this since you looked."


class VersionNeeded(Problem):
    status, slug, detail = 428, "version-needed", "This was decided already. Send If-Match to decide it again."


class TooLarge(Problem):
    status, slug, detail = 413, "too-large", "That is larger than what is accepted here."


class WrongMediaType(Problem):
    status, slug, detail = 415, "wrong-media-type", "Send application/json."


class Invalid(Problem):
    """422: some fields cannot be taken; `errors` says which and why."""

    status, slug, detail = 422, "invalid", "Please check the marked fields."

    @classmethod
    def field(cls, name: str, code: str, detail: str) -> Invalid:
        return cls(errors={name: [{"code": code, "detail": detail}]})


class TooManyRequests(Problem):
    status, slug, detail = 429, "too-many-requests", "That was a lot at once. Please try again in a while."


class Unavailable(Problem):
    status, slug = 503, "unavailable"
    detail = "The database is busy or away. Nothing was changed; please try again in a moment."

    def __init__(self, detail: str | None = None, **more: Any) -> None:
        super().__init__(detail, headers={"Retry-After": "5"}, **more)


class OutcomeUnknown(Unavailable):
    slug = "outcome-unknown"
    detail = "The database went away just then: this may have been stored, or not. Please look in a moment."


class Unsure(OperationalError):
    """The database went away during COMMIT: it alone knows what became of that."""


DAMAGED = "The database is damaged. Stop, keep a copy of it, and restore your last backup."
_BROKEN_FILE = {11, 26}  # SQLITE_CORRUPT, SQLITE_NOTADB
_BROKEN_PAGE = {"XX001", "XX002"}  # data_corrupted, index_corrupted of PostgreSQL


def damaged(error: Exception) -> bool:
    """Whether the database said that what it finds on the disk cannot be right."""
    cause = getattr(error, "orig", None)
    # The low byte: SQLite's longer codes say more about the same.
    file = getattr(cause, "sqlite_errorcode", 0) & 0xFF in _BROKEN_FILE
    return file or getattr(cause, "sqlstate", None) in _BROKEN_PAGE


def title(status: int) -> str:
    return HTTPStatus(status).phrase


PageMaker = Callable[[Problem], Response]


def register(app: Flask | Blueprint, page_of: PageMaker) -> None:
    """Map every exception to a Problem; `page_of` draws it for a browser that asks for HTML."""

    def answer(problem: Problem) -> Response:
        if problem.status >= 500:
            log.error("%s %s: %s", request.method, request.url_rule, problem.slug)
        response = page_of(problem) if _wants_page() else _json(problem)
        response.headers.update(problem.headers)
        return response

    def from_http(error: HTTPException) -> Response:
        if error.code is None or error.code < 400:
            return error.get_response()  # type: ignore[return-value]
        return answer(of_http(error))

    def from_database(error: Exception) -> Response:
        problem = _of_database(error)
        return answer(problem) if problem else from_anything(error)

    def from_anything(error: Exception) -> Response:
        log.error("unexpected %s", type(error).__name__, exc_info=error)
        problem = Problem("Something went wrong on our side. It has been noted.")
        problem.status, problem.slug = 500, "internal-error"
        return answer(problem)

    app.after_request(partial(_in_our_words, answer))
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(DBAPIError, from_database)
    app.register_error_handler(PoolTimeout, from_database)
    app.register_error_handler(Exception, from_anything)


def _in_our_words(answer: PageMaker, response: Response) -> Response:
    """A refusal that a library made, as every other: werkzeug answers 412 with the very file."""
    if response.status_code < 400 or response.mimetype in (MEDIA_TYPE, "text/html"):
        return response
    response.close()
    error = default_exceptions.get(response.status_code, HTTPException)()
    error.code = response.status_code
    told = answer(of_http(error))
    told.vary.update(response.vary)
    return told


def of_http(error: HTTPException) -> Problem:
    """A werkzeug or webargs error as a Problem; webargs' messages become field errors."""
    data = getattr(error, "data", None) or {}
    problem = Problem(data.get("detail") or _SENTENCES.get(error.code or 400), headers=data.get("headers"))
    problem.status = error.code or 400
    problem.slug = _SLUGS.get(problem.status, HTTPStatus(problem.status).phrase.lower().replace(" ", "-"))
    if "messages" in data:
        problem.errors = _flatten(data["messages"])
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After", "WWW-Authenticate"):
            problem.headers[name] = value
    return problem


def _flatten(messages: Any, path: str = "") -> dict[str, list[dict[str, str]]]:
    """marshmallow's nested messages → {field: [{code, detail}]}; the location (json, query) is dropped."""
    if isinstance(messages, str | list):
        texts = [messages] if isinstance(messages, str) else messages
        return {path or "body": [_coded(one) for one in texts]}
    found: dict[str, list[dict[str, str]]] = {}
    for name, inner in messages.items():
        known = not path and name in ("json", "query", "form", "path", "json_or_form")
        deeper = path if known else f"{path}.{name}".lstrip(".")
        for field, texts in _flatten(inner, deeper).items():
            found.setdefault(field, []).extend(texts)
    return found


def _coded(message: Any) -> dict[str, str]:
    if isinstance(message, dict):
        return {"code": str(message["code"]), "detail": str(message["detail"])}
    return {"code": _CODES.get(str(message), "invalid"), "detail": _PEOPLE.get(str(message), str(message))}


UNKNOWN = "There is no field of this name."
_CODES = {
    "Missing data for required field.": "required",
    "Unknown field.": "unknown",
    "Use one line, of characters that can be seen.": "line",
    "Write a word or a phrase; a star may stand at its end.": "word",
    "This is nothing that comments have in common.": "alike",
    "Write a limit like 6/minute, or several like 6/minute;60/hour.": "limit",
    "Not a valid URL.": "url",
}
_PEOPLE = {
    "Missing data for required field.": "This field is required.",
    "Unknown field.": UNKNOWN,
    "Field may not be null.": "This field is required.",
}
_SLUGS = {
    404: "not-found", 405: "method-not-allowed", 406: "not-acceptable", 412: "stale-version", 413: "too-large",
    415: "wrong-media-type", 422: "invalid", 429: "too-many-requests", 500: "internal-error",
}  # fmt: skip
_SENTENCES = {
    400: "That request cannot be understood.",
    404: NotFound.detail,
    412: StaleVersion.detail,
    405: "This address does not take that method.",
    413: TooLarge.detail,
    415: WrongMediaType.detail,
    422: Invalid.detail,
    429: TooManyRequests.detail,
}


def _of_database(error: Exception) -> Problem | None:
    """What the database's trouble means for whoever asked; None when it is a mistake of ours."""
    if damaged(error):
        log.critical(DAMAGED)
        return Unavailable("The database is damaged. Nothing was changed; its operator has to restore it.")
    if not _database_away(error):
        return None
    log.warning("database away: %s", type(error).__name__)
    return OutcomeUnknown() if isinstance(error, Unsure) else Unavailable()


def _database_away(error: Exception) -> bool:
    """Locked, gone or deadlocked: worth another try. Anything else is a mistake of ours."""
    if isinstance(error, OperationalError | PoolTimeout):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _wants_page() -> bool:
    if isinstance(request.routing_exception, BadHost):
        return False  # under a host that is none no page can be drawn: it has no links
    best = request.accept_mimetypes.best_match([MEDIA_TYPE, "application/json", "text/html"])
    return best == "text/html" and request.accept_mimetypes["text/html"] > request.accept_mimetypes["application/json"]


def _json(problem: Problem) -> Response:
    document = problem.body() | {"instance": request.path}
    response = Response(json.dumps(document), problem.status, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response
