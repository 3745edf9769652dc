"""Sign-in: flask-security and what it needs, set so that it does what we need and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import (
    Flask,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login.utils import _user_context_processor
from flask_security import (
    FSQLALiteUserDatastore,
    LoginForm,
    MailUtil,
    RoleMixin,
    Security,
    login_user,
    user_authenticated,
)
from flask_wtf import CSRFProtect
from wtforms import HiddenField, PasswordField
from wtforms.validators import DataRequired, Length

from service.accounts import browsers, factors, guard, operations, passwords, queries
from service.accounts.models import Moderator
from service.config import Settings
from service.db import db, now, transaction
from service.doors import sender_ip, settings
from service.errors import Forbidden, Problem, TooManyRequests, WrongMediaType
from service.limits import forget, spend
from service.privacy.seal import keyed, rate_key

DESK = "/desk"
FIRST_PAGE = "/desk/"
SIGN_IN_PAGE = "desk/sign_in.html"
NO_MATCH = "That e-mail and password do not match."

CODE_PAGE = f"{DESK}/sign-in/code"
_HALFWAY = "halfway"
_HALFWAY_FOR = timedelta(minutes=5)

_OWN_PAGE = re.compile(rf"{DESK}([/?][!-\[\]-~]*)?")  # printable ASCII without the backslash
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class SignInForm(LoginForm):
    """Without a box to be remembered: a session has an end. A foreign `next` is no reason to stay outside."""

    remember = None
    password = PasswordField(validators=[DataRequired(), Length(max=passwords.LONGEST)])

    def validate_next(self, field: HiddenField) -> None:
        field.data = own_page(field.data)


class NoMail(MailUtil):
    """Knows how we write an address, and sends nothing."""

    def normalize(self, email: str) -> str:
        address = operations.normal_address(email)
        if not address.isprintable():
            raise ValueError("not an address")
        return address

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        raise AssertionError("sign-in sends no mail")


def init_app(app: Flask, settings: Settings) -> None:
    """Add the guard, sign-in at /desk/sign-in and sign-out at /desk/sign-out. Needs `SECRET_KEY` in the config."""
    app.config.update(_cookies(settings) | _features())
    CSRFProtect(app)
    # flask-security commits by itself: the one exception to "only transaction() commits". All that it writes is
    # a password hashed anew when argon2's defaults grew.
    json = app.json
    moderators = FSQLALiteUserDatastore(db, Moderator, RoleMixin)
    security = Security(app, moderators, login_form=SignInForm, mail_util_cls=NoMail)
    security.pwd_context = passwords.CONTEXT
    security.want_json(lambda _request: False)
    security.login_manager.user_loader(lambda _uniquifier: guard.signed_in())
    app.json = json  # flask-security puts its own in place, which forgets how ours was set
    security.two_factor_plugins.tf_enter = _ask_for_code  # type: ignore[assignment]  # takes more
    _leave_open_doors_alone(app, security)
    user_authenticated.connect(_open_session, app)
    app.view_functions["security.login"] = _sign_in(app.view_functions["security.login"])
    app.view_functions["security.logout"] = _sign_out(app.view_functions["security.logout"])
    guard.init_app(app)


def _cookies(settings: Settings) -> dict[str, Any]:
    https = settings.public_url.startswith("https://")
    return {
        "SESSION_COOKIE_NAME": "__Host-greenroom" if https else "greenroom",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Strict",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": operations.LONGEST,
        # It would tie a session to a hash of the address and browser, which change on the way to work.
        "SESSION_PROTECTION": None,
        "WTF_CSRF_CHECK_DEFAULT": False,  # the guard asks, and only where a cookie counts
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session
        "WTF_CSRF_SSL_STRICT": False,  # the guard compares the origin with the public one
    }


def _features() -> dict[str, Any]:
    return {
        "SECURITY_URL_PREFIX": DESK,
        "SECURITY_LOGIN_URL": "/sign-in",
        "SECURITY_LOGOUT_URL": "/sign-out",
        "SECURITY_LOGOUT_METHODS": ["POST"],
        "SECURITY_POST_LOGIN_VIEW": FIRST_PAGE,
        "SECURITY_POST_LOGOUT_VIEW": f"{DESK}/sign-in",
        "SECURITY_LOGIN_USER_TEMPLATE": SIGN_IN_PAGE,
        "SECURITY_STATIC_FOLDER": None,
        "SECURITY_FRESHNESS": timedelta(minutes=-1),  # no door to confirm a password again
        "SECURITY_FLASH_MESSAGES": False,
        "SECURITY_CACHE_CONTROL": {},  # it would write no-store=True, which is not no-store
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_MSG_GENERIC_AUTHN_FAILED": (NO_MATCH, "error"),
        "SECURITY_USER_IDENTITY_ATTRIBUTES": [{"email": {"mapper": operations.normal_address}}],
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SINGLE_HASH": {"argon2"},
        "SECURITY_PASSWORD_NORMALIZE_FORM": passwords.NORMAL_FORM,
        "SECURITY_CLI_USERS_NAME": None,
        "SECURITY_CLI_ROLES_NAME": None,
    }


def _leave_open_doors_alone(app: Flask, security: Security) -> None:
    """Take away what looks at the cookie or the body of every request, and in every template.

    Otherwise answers of open doors would vary by a cookie that they must not even read, and flask-security would
    parse their JSON before our own strict parser does.
    """
    security.principal.identity_loaders.clear()
    security.login_manager.request_loader(lambda _request: None)
    app.after_request_funcs[None].remove(security.login_manager._update_remember_cookie)
    app.template_context_processors[None].remove(_user_context_processor)


def _open_session(_app: Flask, user: Moderator, **_more: Any) -> None:
    """flask-security let somebody in: give the session a row that can be ended, and a new CSRF token."""
    moderator_id = user.id
    current_app.extensions["security"].datastore.commit()
    with transaction():
        opened = operations.open_session(moderator_id, browsers.described(request.user_agent.string))
    session["sign_in"] = str(opened)
    for left_over in ("csrf_token", "_id"):
        session.pop(left_over, None)
    g.pop("csrf_token", None)


def _sign_in(stock: Callable[[], Any]) -> Callable[[], Response]:
    """flask-security's view, throttled, for our own forms only, and with its failures noted."""

    def sign_in() -> Response:
        if guard.signed_in():
            return _go_on()
        answer = _attempt(stock) if request.method == "POST" else make_response(stock())
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return sign_in


def _attempt(stock: Callable[[], Any]) -> Response:
    if request.mimetype not in FORMS:
        raise WrongMediaType("Send the form of the sign-in page.")
    session.pop(_HALFWAY, None)
    try:
        guard.refuse_forgery()
        spent = _spend_attempt()
    except (Forbidden, TooManyRequests) as refusal:
        return form_again(refusal)
    answer = make_response(stock())
    if guard.signed_in():
        forget(*spent)
        return _go_on()
    if _HALFWAY in session:
        forget(*spent)
        return answer
    if answer.status_code == HTTPStatus.OK:  # its form again
        with transaction():
            operations.note_failed_sign_in(request.form.get("email", ""))
        answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    return answer


def _ask_for_code(moderator: Moderator, *_more: Any, **_and_more: Any) -> Any:
    """flask-security's question once the password was right: where else to go before somebody is in, or None."""
    if not factors.is_on(moderator.id):
        return None
    there = own_page(request.form.get("next"))
    session[_HALFWAY] = [str(moderator.id), moderator.fs_uniquifier, int(now().timestamp()), there]
    return redirect(CODE_PAGE, HTTPStatus.SEE_OTHER)


def halfway() -> tuple[Moderator, str] | None:
    """Who has shown their password a moment ago and still has to show a code, and where they want to go then."""
    named = session.get(_HALFWAY)
    if not isinstance(named, list):
        return None
    id_, uniquifier, since, there = named
    moderator = queries.moderator_by_id(UUID(id_))
    fresh = int(now().timestamp()) - since < _HALFWAY_FOR.total_seconds()
    if moderator is None or not (fresh and moderator.active and moderator.fs_uniquifier == uniquifier):
        return None
    return moderator, own_page(there)


def _go_on() -> Response:
    return make_response(redirect(own_page(request.values.get("next")), HTTPStatus.SEE_OTHER))


def _spend_attempt() -> tuple[str, str, str]:
    """Count before the password is looked at, so that a burst is no way round; success gives it back.

    Also by network alone: each attempt costs a slow hash, whatever the account.
    """
    address, client = operations.normal_address(request.form.get("email", "")), spend_by_address()
    attempt = (settings().limit_signin, "sign-in", keyed("sign-in", address.encode(), client.encode()).hex())
    spend(*attempt)
    return attempt


def spend_by_address() -> str:
    """Count a try to get in, by whichever door; what stands for the client. TooManyRequests beyond the limit."""
    client = rate_key(sender_ip())
    spend(settings().limit_signin_address, "sign-in-address", client)
    return client


@contextmanager
def few_tries(what: str, moderator_id: UUID) -> Iterator[None]:
    """Count a try of a secret of an account as a sign-in is counted, from wherever; give it back when it was right."""
    attempt = (settings().limit_signin, what, keyed(what, moderator_id.bytes).hex())
    spend(*attempt)
    yield
    forget(*attempt)


def let_in(moderator: Moderator) -> None:
    """Open a new session for somebody who proved who they are."""
    session.clear()
    login_user(moderator, remember=False)


def form_again(refusal: Problem) -> Response:
    page = render_template(SIGN_IN_PAGE, login_user_form=SignInForm(), message=refusal.detail)
    return make_response(page, refusal.status, refusal.headers)


def own_page(target: str | None) -> str:
    """`target` when it is a page of the desk, else the desk itself: signing in sends nobody elsewhere."""
    return target if target and _OWN_PAGE.fullmatch(target) else FIRST_PAGE


def _sign_out(stock: Callable[[], Any]) -> Callable[[], Any]:
    """End the session itself, not only this browser's cookie."""

    def sign_out() -> Any:
        moderator = guard.signed_in()
        if moderator:
            guard.refuse_forgery()
            moderator_id, sign_in_id = moderator.id, UUID(session["sign_in"])
            with transaction():
                operations.end_session(sign_in_id, moderator_id)
            stock()
        session.clear()
        return redirect(url_for("security.login"), HTTPStatus.SEE_OTHER)

    return sign_out
