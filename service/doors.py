"""What every door shares: strict JSON in, a size it takes, and whether it is OPEN or GUARDED."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, TypeVar

import marshmallow as ma
from flask import Request, Response, current_app, json, request
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser

from service.config import Settings
from service.errors import BadRequest, StaleVersion, WrongMediaType
from service.limits import client_ip, spend
from service.privacy.seal import rate_key
from service.strictjson import BadJSON, loads

SMALL_BODY = 64_000
TEXT_BODY = 256_000
"""Bytes: 10,000 characters of any script, written as JSON escapes, fit."""

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


class OpenDoor(Blueprint):  # type: ignore[misc]  # smorest has no types
    """A blueprint that anybody may call, without cookies."""

    guarded = False
    ARGUMENTS_PARSER = StrictParser()


class GuardedDoor(Blueprint):  # type: ignore[misc]  # smorest has no types
    """A blueprint whose every view asks `accounts.guard` who is there."""

    guarded = True
    ARGUMENTS_PARSER = StrictParser()


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

        return counted  # type: ignore[return-value]

    return wrap


def limit_body() -> None:
    """Before each request: the body's limit is the view's."""
    view = current_app.view_functions.get(request.endpoint or "")
    request.max_content_length = getattr(view, "body_limit", SMALL_BODY)


def refuse_odd_text() -> None:
    """Refuse NUL and broken UTF-8 in path and query: no column takes them, and no person types them."""
    texts = [request.path, *request.args.keys(), *(value for _, value in request.args.items(multi=True))]
    if any("\0" in text or "\ufffd" in text for text in texts):
        raise BadRequest("The address holds characters that no text has.")


def answer(document: Any, status: int = 200) -> Response:
    """A JSON answer, byte for byte the same for the same document."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, sort_keys=False)
    return Response(text, status, content_type="application/json")


def conditional(response: Response) -> Response:
    """Give a public answer its ETag, and 304 to whoever has it already. StaleVersion (412) for a vain If-Match."""
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    if response.status_code == StaleVersion.status:
        raise StaleVersion()
    response.headers.pop("Date", None)  # werkzeug adds one here; the server gives every answer its one
    return response
