"""What every door shares: strict JSON in, a size it takes, and whether it is OPEN or GUARDED."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

import marshmallow as ma
import orjson
from flask import Request, Response, current_app, request
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser

from service.config import Settings
from service.errors import UNKNOWN, BadRequest, Invalid, StaleVersion, WrongMediaType
from service.hops import client_ip
from service.limits import spend
from service.privacy.seal import rate_key
from service.strictjson import BadJSON, loads

SMALL_BODY = 64_000
TEXT_BODY = 256_000
"""Bytes: 10,000 characters of any script, written as JSON escapes, fit."""
LIST_BODY = 2_000_000
"""Bytes of a door that takes lists of words."""

View = TypeVar("View", bound=Callable[..., Any])


class StrictParser(FlaskParser):
    """JSON by service.strictjson, only as application/json; unknown fields are refused everywhere."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": ma.RAISE, "query": ma.RAISE, "form": ma.EXCLUDE, "path": ma.RAISE}

    def _raw_load_json(self, req: Request) -> Any:
        return strict_json(req)

    def handle_error(self, error: ma.ValidationError, req: Request, schema: ma.Schema, **more: Any) -> NoReturn:
        more["error_status_code"] = 422
        super().handle_error(error, req, schema, **more)


def strict_json(req: Request) -> Any:
    """The JSON body. WrongMediaType (415) when it is called something else, BadRequest when it is none."""
    if req.mimetype != "application/json":
        raise WrongMediaType()
    try:
        return loads(req.get_data(cache=True))
    except BadJSON as error:
        raise BadRequest(str(error)) from error


class _Door(Blueprint):  # type: ignore[misc]  # smorest has no types
    """A blueprint that reads strictly and documents what it refuses."""

    guarded: bool
    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._prepare_doc_cbks.append(self._document)

    def arguments(self, schema: Any, *, location: str = "json", **more: Any) -> Callable[[View], View]:
        """As smorest has it; the view notes where it reads from."""
        # Made once: a class would be made anew, with all its fields, for every request.
        made = schema() if isinstance(schema, type) else schema
        parsed = super().arguments(made, location=location, **more)

        def mark(view: View) -> View:
            marked: View = parsed(view)
            marked.reads = getattr(view, "reads", frozenset()) | {location}  # type: ignore[attr-defined]
            return marked

        return mark

    def _document(self, doc: dict[str, Any], doc_info: dict[str, Any], **_: Any) -> dict[str, Any]:
        """smorest's hook: add the refusals and headers of every door, and those that `tells` names."""
        refusals, headers = doc_info.get("tells", (set(), ()))
        refusals = refusals | _ANYWHERE | (_BY_THE_GUARD if self.guarded else set())
        if "requestBody" in doc:
            refusals |= _OF_A_BODY
        responses = doc.setdefault("responses", {})
        for status in sorted(refusals):
            responses.setdefault(status, HTTPStatus(status).name)
        if headers:
            doc.setdefault("parameters", []).extend(_header(name) for name in headers)
        if self.guarded:
            doc["security"] = [{"token": []}, {"session": []}]
        return doc


class OpenDoor(_Door):
    """A blueprint that anybody may call, without cookies."""

    guarded = False

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.before_request(refuse_unasked)


class GuardedDoor(_Door):
    """A blueprint whose every view asks `accounts.guard` who is there."""

    guarded = True


_ANYWHERE = {400, 404, 422, 503}
_BY_THE_GUARD = {401, 403}
_OF_A_BODY = {413, 415}
_HEADERS = {
    "Idempotency-Key": "The same key and body get the same answer again, for a day. 1 to 255 printable characters.",
    "If-Match": "The ETag of what was seen, or *.",
    "If-None-Match": "The ETag of the answer that you have: 304 when it is still the same.",
}


_KEY_SHAPE = {"minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}


def _header(name: str) -> dict[str, Any]:
    shape = {"type": "string"} | (_KEY_SHAPE if name == "Idempotency-Key" else {})
    return {"in": "header", "name": name, "schema": shape, "description": _HEADERS[name]}


def tells(*refusals: int, headers: tuple[str, ...] = ()) -> Callable[[View], View]:
    """Document what a view may answer beyond what every door may, and which request headers it reads."""

    def mark(view: View) -> View:
        papers = dict(getattr(view, "_apidoc", {}))
        known, read = papers.get("tells", (set(), ()))
        papers["tells"] = (known | set(refusals), (*read, *headers))
        view._apidoc = papers  # type: ignore[attr-defined]
        return view

    return mark


def takes(size: int) -> Callable[[View], View]:
    """Mark how many bytes a view's body may have; without a mark SMALL_BODY."""

    def mark(view: View) -> View:
        view.body_limit = size  # type: ignore[attr-defined]
        return view

    return mark


def settings() -> Settings:
    found: Settings = current_app.extensions["greenroom_settings"]
    return found


def sender_ip() -> str:
    """The client's address, as far as the configured proxies vouch for it."""
    return client_ip(request, settings().proxy_networks)


def per_address(name: str) -> Callable[[View], View]:
    """Count each call against the setting `limit_<name>` of the client's address. TooManyRequests beyond it."""

    def wrap(view: View) -> View:
        @wraps(view)
        def counted(*args: Any, **kwargs: Any) -> Any:
            spend(getattr(settings(), f"limit_{name}"), name, rate_key(sender_ip()))
            return view(*args, **kwargs)

        return tells(429)(counted)  # type: ignore[return-value]

    return wrap


def refuse_unasked() -> None:
    """Refuse (422) parameters and fields where a door of the API has none; where it has some, their schema does it."""
    door = current_app.blueprints.get(request.blueprint or "")
    if not isinstance(door, _Door) or request.method == "OPTIONS":
        return
    reads: frozenset[str] = getattr(current_app.view_functions[request.endpoint or ""], "reads", frozenset())
    found = set() if "query" in reads else set(request.args)
    if "json" not in reads and request.get_data(cache=True):
        body = strict_json(request)
        found |= set(body) if isinstance(body, dict) else {"body"}
    if found:
        raise Invalid(errors={name: [{"code": "unknown", "detail": UNKNOWN}] for name in sorted(found)})


def limit_body() -> None:
    """Before each request: the body's limit is the view's."""
    view = current_app.view_functions.get(request.endpoint or "")
    request.max_content_length = request.max_form_memory_size = getattr(view, "body_limit", SMALL_BODY)


def refuse_odd_text() -> None:
    """Refuse NUL and broken UTF-8 in path and query: no column takes them, and no person types them."""
    texts = [request.path, *request.args.keys(), *(value for _, value in request.args.items(multi=True))]
    if any("\0" in text or "\ufffd" in text for text in texts):
        raise BadRequest("The address holds characters that no text has.")


def answer(document: Any, status: int = 200) -> Response:
    """A JSON answer, byte for byte the same for the same document. Ids become text."""
    return Response(orjson.dumps(document), status, content_type="application/json")


def conditional(response: Response) -> Response:
    """Give a public answer its ETag, and 304 to whoever has it already. StaleVersion (412) for a vain If-Match."""
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    if response.status_code == StaleVersion.status:
        raise StaleVersion()
    response.headers.pop("Date", None)  # werkzeug adds one here; the server gives every answer its one
    return response
