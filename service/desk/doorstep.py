"""The desk's open doors besides the sign-in page: invitations, the second step, passkeys."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request
from flask_babel import gettext

from service import errors
from service.accounts import factors, guard, invites, passkeys, security
from service.accounts.invites import NoInvite
from service.accounts.models import Invite, Moderator
from service.accounts.passkeys import NoPasskey
from service.accounts.security import FIRST_PAGE, FORMS, own_page
from service.db import transaction
from service.desk import pages, words
from service.desk.factors import party, put_challenge, take_challenge, this_party
from service.desk.pages import draw
from service.errors import Conflict, Forbidden, Invalid, TooManyRequests, WrongMediaType
from service.sites import queries as sites

bp = Blueprint("doorstep", __name__, url_prefix="/desk")
bp.guarded = False  # type: ignore[attr-defined]
errors.register(bp, pages.problem_page)

REFUSALS = (Conflict, Forbidden, Invalid, NoInvite, TooManyRequests)


@bp.route("/sign-up")
def sign_up() -> Response:
    """Where a link of an invitation leads. Its secret is in the fragment; the page's script posts it from there."""
    return draw("sign_up.html")


@bp.route("/sign-up", methods=["POST"])
def accept() -> Response:
    """Show what an invitation is to; accept it, with the account that is signed in or with a new one."""
    _check_form()
    secret = request.form.get("invite", "").rpartition("#")[2].strip()
    found: Invite | None = None
    try:
        guard.refuse_foreign_pages()
        security.spend_by_address()
        found = invites.behind(secret)
        if "accept" in request.form:
            return _come_in(found, secret)
    except REFUSALS as problem:
        status, headers = problem.status, problem.headers
        answer = _drawn(found, secret, status, problem=problem, typed=request.form)
        answer.headers.update(headers)
        return answer
    return _drawn(found, secret)


def _drawn(found: Invite | None, secret: str, status: int = 200, **told: Any) -> Response:
    """The page; with the site and the role once the link proved to be good."""
    if found is None:
        return draw("sign_up.html", status, **told)
    me = guard.signed_in()
    told |= {"site": sites.site_by_id(found.site_id), "role": words.ROLES[found.role], "secret": secret}
    return draw("sign_up.html", status, me=me.name if me else None, **told)


def _come_in(found: Invite, secret: str) -> Response:
    guard.refuse_forgery()
    me = guard.signed_in()
    if me is not None:
        with transaction():
            invites.accept(secret, me)
    else:
        form = request.form
        with security.few_tries("invite", found.id):
            who = invites.newcomer(form.get("email", ""), form.get("name", ""), form.get("password", ""))
            with transaction():
                made = invites.join(secret, who)
        security.let_in(made)
    return _away(FIRST_PAGE)


@bp.route("/sign-in/code")
def second_step() -> Response:
    """Where somebody is led whose password was right and whose account asks for a code, too."""
    if guard.signed_in() or security.halfway() is None:
        return _away(FIRST_PAGE)
    return draw("code.html")


@bp.route("/sign-in/code", methods=["POST"])
def enter_code() -> Response:
    """Let them in who have a good code as well."""
    _check_form()
    typed = request.form.get("code", "")
    try:
        guard.refuse_forgery()
        found = security.halfway()
        if guard.signed_in() or found is None:
            return _away(FIRST_PAGE)
        moderator, there = found
        with security.few_tries("second-factor", moderator.id):
            _check_code(moderator, typed)
    except (Forbidden, Invalid, TooManyRequests) as problem:
        answer = draw("code.html", problem.status, problem=problem)
        answer.headers.update(problem.headers)
        return answer
    security.let_in(moderator)
    return _away(there)


def _check_code(moderator: Moderator, typed: str) -> None:
    with transaction():
        right = factors.passes(moderator.id, typed[:40])
    if not right:
        raise Invalid.field("code", "wrong", gettext("That code is not right, or was used already."))


@bp.route("/sign-in/passkey")
def passkey() -> Response:
    """What the page's script asks the browser for; null where there are no passkeys.

    It names nobody: the device knows for whom it has one.
    """
    here = party()
    if here is None:
        return jsonify(None)
    options, challenge = passkeys.to_sign_in(here)
    put_challenge(challenge)
    return jsonify(options)


@bp.route("/sign-in/passkey", methods=["POST"])
def enter_by_passkey() -> Response:
    """Let them in whose device answered the challenge."""
    _check_form()
    try:
        guard.refuse_forgery()
        if guard.signed_in():
            return _away(FIRST_PAGE)
        security.spend_by_address()
        moderator = _by_passkey(request.form.get("credential", ""))
    except (Conflict, Forbidden, Invalid, TooManyRequests) as refusal:
        return security.form_again(refusal)
    there = own_page(request.form.get("next"))
    security.let_in(moderator)
    return _away(there)


def _by_passkey(credential: str) -> Moderator:
    try:
        answer = passkeys.answered(credential, take_challenge(), this_party())
        with transaction():
            return passkeys.enter(answer)
    except NoPasskey as refused:
        with transaction():
            passkeys.note_refused(refused)
        raise


def _check_form() -> None:
    if request.mimetype not in FORMS:
        raise WrongMediaType(gettext("Send the form of the page."))


def _away(there: str) -> Response:
    answer: Response = redirect(there, 303)  # type: ignore[assignment]
    return answer
