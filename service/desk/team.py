"""Who works on a site: roles, and links that invite. For owners, and admins of the install."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marshmallow as ma
from flask import Response, redirect, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from werkzeug.exceptions import UnprocessableEntity

from service import errors
from service.accounts import again
from service.accounts.guard import guarded, myself, principal
from service.accounts.invites import MOST_OPEN
from service.accounts.models import Invite
from service.db import transaction
from service.desk import account_schemas as schemas
from service.desk import pages, words
from service.desk.pages import REFUSALS, draw, with_headers
from service.desk.ui import Desk, parser
from service.errors import Forbidden, Invalid, Problem
from service.moderation import team
from service.moderation.scope import site_of, sites_of
from service.moderation.team_routes import link_of, member
from service.pagination import read_cursor, write_cursor
from service.sites.models import Site

bp = Desk("team", __name__, url_prefix="/desk")
errors.register(bp, pages.problem_page)

MOST = 100
"""People shown at a time."""
_DONE = {
    "role": _("The role is changed."),
    "remove": _("They have no role here any more."),
    "take-back": _("The invitation is taken back."),
}


@bp.route("/team")
@guarded("manage")
def page() -> Response:
    """Who has which role on a site of mine, and who is invited."""
    asked = parser.parse(schemas.TeamOf(), location="query")
    return _drawn(_site(asked["site"]), cursor=asked["cursor"], said=_DONE.get(asked["done"]))


def _site(key: str | None) -> Site:
    if key:
        return site_of(key, "manage")
    mine = sites_of(None, "manage")
    if not mine:
        raise Forbidden(gettext("Only the owners of a site see its team."))
    return mine[0]


@bp.route("/team", methods=["POST"])
@guarded("manage")
def act() -> Response:
    """Do what a form of the page asks."""
    deed = parser.parse(schemas.Deed(), location="form")["deed"]
    site = site_of(parser.parse(schemas.OfSite(), location="form")["site"], "manage")
    if deed not in _DEEDS:
        raise Invalid.field("deed", "unknown", gettext("There is no form of this name."))
    shape, do = _DEEDS[deed]
    try:
        return do(site, parser.parse(shape(), location="form"))
    except UnprocessableEntity as error:
        problem: Problem = errors.of_http(error)
    except REFUSALS as refusal:
        problem = refusal
    typed = {name: request.form.get(name, "") for name in ("deed", "id", "role", "name")}
    return with_headers(_drawn(site, problem=problem, typed=typed), problem)


def _drawn(site: Site, cursor: str | None = None, **told: Any) -> Response:
    who = principal()
    owner = ("desk.team", site.key)
    found = team.members(site.id, who, read_cursor(cursor, *owner), MOST)
    following = write_cursor(found.next, *owner)
    return draw(
        "team.html",
        site=site,
        me=myself(),
        sites=sites_of(None, "manage"),
        people=[member(one, role) | {"me": one.id == who.moderator_id} for one, role in found.rows],
        next=url_for("team.page", site=site.key, cursor=following) if following else None,
        invites=[_invite(one) for one in team.open_invites(site.id, who, None, MOST_OPEN).rows],
        roles=words.ROLES,
        **told,
    )


def _invite(one: Invite) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "role": words.ROLES[one.role], "ends": words.moment(one.expires_at)}


def _done(site: Site, what: str) -> Response:
    answer: Response = redirect(url_for("team.page", site=site.key, done=what), 303)  # type: ignore[assignment]
    return answer


def _change(site: Site, values: dict[str, Any]) -> Response:
    proof = again.prove_for(values["role"], values["old"])
    with transaction():
        team.set_role(values["id"], site.id, values["role"], principal(), proof)
    return _done(site, "role")


def _remove(site: Site, values: dict[str, Any]) -> Response:
    with transaction():
        team.take_role(values["id"], site.id, principal())
    return _done(site, "remove")


def _make_invite(site: Site, values: dict[str, Any]) -> Response:
    """Shown at once and not after a redirect: the link is told once."""
    proof = again.prove_for(values["role"], values["old"])
    with transaction():
        made = team.invite(site.id, values["role"], values["name"], principal(), proof)
    return _drawn(site, link=link_of(made.secret))


def _take_back(site: Site, values: dict[str, Any]) -> Response:
    with transaction():
        team.take_back(values["id"], principal())
    return _done(site, "take-back")


_DEEDS: dict[str, tuple[type[ma.Schema], Callable[[Site, dict[str, Any]], Response]]] = {
    "role": (schemas.ChangeRole, _change),
    "remove": (schemas.TakeRole, _remove),
    "invite": (schemas.NewInvite, _make_invite),
    "take-back": (schemas.TakeRole, _take_back),
}
