"""create_app(): settings, keys, extensions, the OPEN and the GUARDED doors, error handlers, commands."""

from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, redirect, request
from uuid_utils import compat
from werkzeug.routing import RequestRedirect

from service import api, cli, config, db, doors, errors, health, limits, logs, metrics, prompts
from service.accounts import security
from service.accounts import worker as accounts_worker
from service.authors import routes as authors
from service.authors import worker as authors_worker
from service.comments import routes as comments
from service.comments import worker as comments_worker
from service.config import BadSetting, Settings
from service.desk import account, doorstep, languages, team
from service.desk import doors as desk
from service.embed import routes as embed
from service.embed import widget
from service.embed.pages import problem_page
from service.filters import routes as filters
from service.idempotency import worker as idempotency_worker
from service.moderation import people_routes as people
from service.moderation import pin_routes as pins
from service.moderation import routes as moderation
from service.moderation import site_routes as management
from service.moderation import team_routes as moderators
from service.moderation import webhook_routes as webhooks
from service.moderation import worker as moderation_worker
from service.numbers import routes as numbers
from service.numbers import worker as numbers_worker
from service.presence import worker as presence_worker
from service.privacy import keys
from service.privacy import operations as proofs
from service.purges import policy as purges
from service.purges import worker as purges_worker
from service.reactions import routes as reactions
from service.reactions import worker as reactions_worker
from service.readcache import worker as readcache_worker
from service.sites.addresses import BadOrigin, normal_origin
from service.webhooks import worker as webhooks_worker

log = logging.getLogger(__name__)

_REQUESTS = metrics.counter("greenroom_requests", "Requests that the app answered.", "route", "method", "status")
_TOOK = metrics.histogram("greenroom_request_seconds", "How long the app took to answer.", "route", "method")

OPEN = (comments.bp, reactions.bp, authors.bp)
GUARDED = (moderation.bp, pins.bp, management.bp, people.bp, moderators.bp, filters.bp, numbers.bp, webhooks.bp)
"""The API's doors. A test holds every view of a guarded one to its guard."""

PAGES = (health.bp, embed.bp, widget.bp, desk.bp, account.bp, team.bp, doorstep.bp)
"""Doors that are not in the API's document: pages for people, health for machines."""

WORKERS = (
    accounts_worker, authors_worker, comments_worker, idempotency_worker, moderation_worker, numbers_worker,
    presence_worker, purges_worker, reactions_worker, readcache_worker, webhooks_worker,
)  # fmt: skip

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
"""On every answer that does not say it better itself."""


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI app. Raises BadSetting when a setting or a key cannot be used; touches no database."""
    settings = settings or config.load()
    _check_address(settings.public_url)
    purges.check(settings)
    logs.configure(settings.log_level)
    app = Flask("service", static_folder=None)
    app.extensions["greenroom_settings"] = settings
    app.extensions["greenroom_keys"] = keys.obtain(settings)
    app.config.update(
        SECRET_KEY=app.extensions["greenroom_keys"].secret,
        PUBLIC_URL=settings.public_url.rstrip("/"),
        DEBUG=False,  # whatever FLASK_DEBUG says
        MAX_CONTENT_LENGTH=doors.TEXT_BODY,
        MAX_FORM_PARTS=100,
        MAX_FORM_MEMORY_SIZE=doors.TEXT_BODY,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    db.init_app(app, settings)
    prompts.init_app(app, settings)
    _watch(app)  # before whoever may refuse: every answer has its id and its headers
    app.before_request(_lead_on)
    limits.init_app(app, settings)
    security.init_app(app, settings)
    languages.init_app(app)
    errors.register(app, problem_page)
    api.init_app(app, OPEN, GUARDED)
    for page in PAGES:
        app.register_blueprint(page)
    for worker in WORKERS:
        worker.register()
    health.check(proofs.right_keys)
    cli.register(app)
    return app


def _check_address(public_url: str) -> None:
    """Here and not in `config`: only `sites` knows what an origin is."""
    try:
        normal_origin(public_url)
    except BadOrigin as error:
        raise BadSetting(f"GREENROOM_PUBLIC_URL cannot be used. {error}") from error


def _watch(app: Flask) -> None:
    """Around each request: an id, a body limit, no odd bytes; after it: headers and one line of log."""

    @app.url_value_preprocessor
    def arrive(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
        g.started = time.perf_counter()
        g.request_id = compat.uuid7().hex
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
        doors.limit_body()

    app.before_request(doors.refuse_odd_text)

    @app.after_request
    def dress(response: Response) -> Response:
        if response.status_code == 304:
            response.close()  # of a file, which werkzeug opens and then leaves
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if request.url_rule is None:  # a public door's path with another method, perhaps: told as that door tells
            response.vary.add("Origin")
        if app.config["PUBLIC_URL"].startswith("https://"):
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        # The rule, not the path: a path may hold what somebody typed.
        log.info("%s %s", request.method, request.url_rule or "-", extra=_line(response))
        _count(response)
        structlog.contextvars.clear_contextvars()
        return response


def _lead_on() -> Any:
    """Redirect as the router wants (`/desk` to `/desk/`), by the path alone: the host is what the client said."""
    if not isinstance(request.routing_exception, RequestRedirect):
        return None
    target = urlsplit(request.routing_exception.new_url)
    return redirect(target._replace(scheme="", netloc="").geturl(), RequestRedirect.code)


def _line(response: Response) -> dict[str, Any]:
    return {"status": response.status_code, "ms": round(_seconds() * 1000, 1)}


def _seconds() -> float:
    return time.perf_counter() - g.started if "started" in g else 0.0


def _count(response: Response) -> None:
    """By the rule, as the log has it; what no rule fits is one, whatever methods somebody makes up."""
    where = (request.url_rule.rule, request.method) if request.url_rule else ("unmatched", "any")
    _REQUESTS.labels(*where, f"{response.status_code // 100}xx").inc()
    _TOOK.labels(*where).observe(_seconds())
