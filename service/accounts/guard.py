"""The guard of every private door: who is asking, and is it really them."""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, Response, after_this_request, current_app, redirect, request, session, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError

from service.accounts import queries
from service.accounts.holders.queries import token_with
from service.accounts.models import Moderator
from service.accounts.operations import IDLE, LONGEST, digest_of
from service.accounts.principal import Principal, acting, of_moderator, of_token
from service.db import db, now, transaction
from service.doors import refuse_unasked
from service.errors import Forbidden, Unauthorized
from service.sites.origins import own_origin

__all__ = ["Principal", "guarded", "principal"]

log = logging.getLogger(__name__)

SAFE = ("GET", "HEAD", "OPTIONS")
_TOKEN = re.compile(r"grm_[A-Za-z0-9_-]{43}")
_WHO = "greenroom.principal"
"""Where the principal is kept: in the request itself, which ends when the answer is sent."""

_AGAIN = {"WWW-Authenticate": "Bearer"}
_SEEN_EVERY = timedelta(minutes=1)

View = TypeVar("View", bound=Callable[..., Any])


def init_app(app: Flask) -> None:
    """Ask at every view of a blueprint that says `guarded = True`, before anything of the request is read."""
    app.extensions["greenroom_note_again"] = now()
    app.before_request(_ask_at_guarded_doors)


def _ask_at_guarded_doors() -> Any:
    if not getattr(current_app.blueprints.get(request.blueprint or ""), "guarded", False):
        return None
    try:
        authenticate()
    except Unauthorized:
        if not _browses_the_desk():
            raise
        return redirect(url_for("security.login", next=request.full_path.removesuffix("?")), HTTPStatus.SEE_OTHER)
    return None


def _browses_the_desk() -> bool:
    page = request.path == "/desk" or request.path.startswith("/desk/")
    return page and request.method in SAFE and "HX-Request" not in request.headers


def guarded(scope: str) -> Callable[[View], View]:
    """Mark and guard a view: 401 for a stranger, 403 without the scope. The site is `Principal.require`'s matter.

    Goes right below the route and above everything that reads the request.
    """

    def wrap(view: View) -> View:
        @wraps(view)
        def asked(*args: Any, **kwargs: Any) -> Any:
            if scope not in authenticate().scopes:
                raise Forbidden(f"This token does not allow to {scope}.")
            refuse_unasked()
            return view(*args, **kwargs)

        asked.guarded_scope = scope  # type: ignore[attr-defined]
        return asked  # type: ignore[return-value]

    return wrap


def principal() -> Principal:
    """Who is asking. Known at every guarded door.

    In a transaction, as they are by then: it may have had to wait, and a role taken away meanwhile counts at once.
    Unauthorized (401) when the account was closed or the token revoked.
    """
    found: Principal = request.environ[_WHO]
    info = db.session().info  # of the transaction: emptied when it ends
    if not info.get("writes"):
        return found
    if "principal" not in info:
        info["principal"] = acting(found.actor)
    by_now: Principal | None = info["principal"]
    if by_now is None:
        raise Unauthorized(headers=_AGAIN)
    return by_now


def authenticate() -> Principal:
    """Find out who is asking, once per request. Unauthorized (401) when nobody can be told.

    A session that wants to change something must also prove that the desk's own page asked: Forbidden.
    """
    if _WHO in request.environ:
        return principal()
    after_this_request(_keep_private)
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    found = _by_token(secret.strip()) if scheme.lower() == "bearer" else _by_session()
    if found is None:
        raise Unauthorized(headers=_AGAIN)
    if found.kind == "session" and request.method not in SAFE:
        refuse_forgery()
    request.environ[_WHO] = found
    return found


def _keep_private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.vary.update(["Cookie", "Authorization"])
    return response


def _by_token(secret: str) -> Principal | None:
    if not _TOKEN.fullmatch(secret):
        return None
    digest = digest_of(secret)
    found = token_with(digest=digest)
    if found is None or not hmac.compare_digest(found[0].digest, digest):
        return None
    token, roles = found
    who = of_token(token, roles)
    if who:
        _note(token.last_used_at, lambda: queries.see_token(token.id))
    return who


def _by_session() -> Principal | None:
    found = signed_in()
    return of_moderator(found) if found else None


def myself() -> Moderator:
    """The account of whoever is asking."""
    found = queries.moderator_by_id(principal().moderator_id)
    assert found is not None  # just found
    return found


def this_session() -> UUID | None:
    """The session of this request; None for a program."""
    named = session.get("sign_in")
    return UUID(named) if principal().kind == "session" and isinstance(named, str) else None


def require_person() -> None:
    """Forbidden for a program: some doors are for somebody at the desk."""
    if principal().kind != "session":
        raise Forbidden("A token cannot do this. Sign in to the desk.")


def signed_in() -> Moderator | None:
    """The moderator of this request's session, if it is one that nobody ended and that is not too old."""
    named = session.get("sign_in")
    if not isinstance(named, str):
        return None
    found = queries.open_sign_in(UUID(named), seen_after=now() - IDLE, begun_after=now() - LONGEST)
    if found is None:
        return None
    sign_in, moderator = found
    if not moderator.active or moderator.fs_uniquifier != session.get("_user_id"):
        return None
    if "X-Unasked" not in request.headers:  # a look that a page takes by itself is no use of the session
        _note(sign_in.seen_at, lambda: queries.see_sign_in(UUID(named)))
    return moderator


def _note(last: datetime | None, write: Callable[[], None]) -> None:
    """Write down that a token or session is in use: once a minute, and not at all while the database is busy.

    A reader must not fail, nor wait again and again, because somebody else writes.
    """
    soon = now() + _SEEN_EVERY
    if (last and last + _SEEN_EVERY > now()) or current_app.extensions["greenroom_note_again"] > now():
        return
    try:
        with transaction(patience=0):
            write()
    except DBAPIError as error:
        current_app.extensions["greenroom_note_again"] = soon
        log.info("not noted that an account is in use: %s", type(error).__name__)


def refuse_forgery() -> None:
    """Forbidden unless a page of our own sent this request, and with the token that it was given."""
    refuse_foreign_pages()
    try:
        current_app.extensions["csrf"].protect()
    except CSRFError as error:
        raise Forbidden("This page is out of date. Reload it and try again.") from error


def refuse_foreign_pages() -> None:
    """Forbidden unless a page of our own sent this request: enough where nothing is changed."""
    if not _from_own_page():
        raise Forbidden("This request came from another site. Open the desk and try again there.")


def _from_own_page() -> bool:
    """By what only a browser can say: Sec-Fetch-Site, and Origin or else Referer, which must be there.

    A browser that vouches for the same origin may have come by another name of ours than the public one.
    """
    vouched = request.headers.get("Sec-Fetch-Site")
    if vouched not in (None, "same-origin"):
        return False
    try:
        sender = urlsplit(request.headers.get("Origin") or request.headers.get("Referer", ""))
    except ValueError:  # such as http://[
        return False
    if f"{sender.scheme}://{sender.netloc}" == own_origin():
        return True
    return vouched == "same-origin" and sender.netloc == request.host
