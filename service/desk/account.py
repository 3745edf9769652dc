"""A moderator's own account: name, password, second factors, sessions, tokens. Each form of the page has its deed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marshmallow as ma
from flask import Response, jsonify, redirect, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from werkzeug.exceptions import UnprocessableEntity

from service import errors
from service.accounts import again, operations, passwords, security
from service.accounts.guard import guarded, myself, principal, require_person, this_session
from service.accounts.models import ApiToken, SignIn, is_good
from service.db import transaction
from service.desk import account_schemas as schemas
from service.desk import factors, pages, words
from service.desk.factors import Outcome
from service.desk.languages import said
from service.desk.pages import REFUSALS, draw, with_headers
from service.desk.ui import Desk, parser
from service.errors import Invalid, Problem
from service.moderation import team
from service.moderation.scope import sites_of
from service.moderation.team import Wanted
from service.moderation.team_routes import wanted_token
from service.moderation.team_schemas import SCOPES
from service.sites import queries as sites

bp = Desk("account", __name__, url_prefix="/desk")
errors.register(bp, pages.problem_page)

_PASSWORD = "password"  # noqa: S105 - a word of the page
_DONE = {
    "name": _("Your name is changed."),
    _PASSWORD: _("Your password is changed, and every other session has ended."),
    "session": _("The session has ended."),
    "sessions": _("Every other session has ended."),
    "revoke": _("The token opens nothing any more."),
    "codes-off": _("No code is asked for any more."),
    "passkey": _("The passkey is added. You can sign in with it."),
    "passkey-gone": _("The passkey opens nothing any more."),
}
POWERS = {"read": _("Read"), "moderate": _("Read and moderate"), "manage": _("All that you may")}


@bp.route("/account")
@guarded("read")
def page() -> Response:
    """Who I am, where I am signed in, and which programs act for me."""
    require_person()
    asked = parser.parse(schemas.Done(), location="query")
    return _drawn(said=_DONE.get(asked["done"]), password_changed=asked["done"] == _PASSWORD)


@bp.route("/account", methods=["POST"])
@guarded("read")
def act() -> Response:
    """Do what a form of the page asks."""
    deed = parser.parse(schemas.Deed(), location="form")["deed"]
    require_person()
    if deed not in _DEEDS:
        raise Invalid.field("deed", "unknown", gettext("There is no form of this name."))
    shape, do = _DEEDS[deed]
    try:
        done = do(parser.parse(shape(), location="form"))
        return _drawn(**done) if isinstance(done, dict) else _done(done)
    except UnprocessableEntity as error:
        problem: Problem = errors.of_http(error)
    except REFUSALS as refusal:
        problem = refusal
    still = factors.still_to_confirm() if deed == "codes-confirm" else {}
    drawn = _drawn(problem=problem, deed=deed, typed=request.form.get("name", ""), **still)
    return with_headers(drawn, problem)


@bp.route("/account/passkey", methods=["POST"])
@guarded("read")
def passkey() -> Response:
    """What the page's script asks the browser for, when somebody adds a passkey; or what the page says instead."""
    try:
        password = parser.parse(schemas.Prove(), location="form")["old"]
        require_person()
        return jsonify(factors.to_make(password))
    except UnprocessableEntity as error:
        problem: Problem = errors.of_http(error)
    except REFUSALS as refusal:
        problem = refusal
    answer = jsonify(problem.body() | {"detail": _in_words(problem), "instance": request.path})
    answer.mimetype = errors.MEDIA_TYPE
    return with_headers(answer, problem)


def _in_words(problem: Problem) -> str:
    texts = [one["detail"] for those in (problem.errors or {}).values() for one in those]
    return " ".join(said(one) for one in texts or [problem.detail])


def _done(what: str) -> Response:
    answer: Response = redirect(url_for("account.page", done=what), 303)  # type: ignore[assignment]
    return answer


def _drawn(**told: Any) -> Response:
    me, here = myself(), this_session()
    mine = team.my_tokens(principal(), None, operations.MOST_TOKENS)
    return draw(
        "account.html",
        me=me,
        sessions=[_session(one, one.id == here) for one in operations.sessions_of(me.id)],
        tokens=[_token(one) for one in mine.rows],
        powers=POWERS,
        sites=sites_of(None, "read"),
        **factors.seen(me),
        **told,
    )


def _session(one: SignIn, here: bool) -> dict[str, Any]:
    began, seen = words.moment(one.created_at), words.moment(one.seen_at)
    return {"id": one.id, "here": here, "browser": one.browser, "began": began, "seen": seen}


def _token(one: ApiToken) -> dict[str, Any]:
    site = sites.site_by_id(one.site_id) if one.site_id else None
    return {
        "id": one.id,
        "name": one.name,
        "scopes": ", ".join(str(words.SCOPES[scope]) for scope in one.scopes),
        "site_name": site.name if site else None,
        "used": words.moment(one.last_used_at) if one.last_used_at else None,
        "ends": words.moment(one.expires_at) if one.expires_at else None,
        "is_good": is_good(one),
    }


def _rename(values: dict[str, Any]) -> Outcome:
    with transaction():
        operations.rename(myself(), values["name"], actor=principal().actor)
    return "name"


def _change_password(values: dict[str, Any]) -> Outcome:
    """Every session ends, so this browser is given a new one."""
    proof = again.prove(values["old"])
    kept = passwords.new(values["password"], myself().email)
    with transaction():
        me = operations.proven(proof)
        operations.keep_password(me, kept, actor=principal().actor)
    security.let_in(me)
    return _PASSWORD


def _end(values: dict[str, Any]) -> Outcome:
    with transaction():
        operations.end_one_session(values["id"], principal().moderator_id)
    return "session"


def _end_others(_values: dict[str, Any]) -> Outcome:
    with transaction():
        operations.end_other_sessions(principal().moderator_id, this_session())
    return "sessions"


def _make_token(values: dict[str, Any]) -> Outcome:
    """Shown at once and not after a redirect: it is told once."""
    scopes = SCOPES[: SCOPES.index(values["power"]) + 1]
    proof = again.prove(values["old"])
    with transaction():
        operations.proven(proof)
        wanted: Wanted = wanted_token(values | {"scopes": scopes})
        issued = team.issue_token(wanted, principal())
    return {"secret": issued.secret}


def _revoke(values: dict[str, Any]) -> Outcome:
    with transaction():
        team.revoke_token(values["id"], principal())
    return "revoke"


_DEEDS: dict[str, tuple[type[ma.Schema], Callable[[dict[str, Any]], Outcome]]] = {
    "name": (schemas.Rename, _rename),
    "password": (schemas.ChangePassword, _change_password),
    "end": (schemas.OneOfMine, _end),
    "end-others": (schemas.Nothing, _end_others),
    "token": (schemas.NewToken, _make_token),
    "revoke": (schemas.OneOfMine, _revoke),
    **factors.DEEDS,
}
