"""What somebody manages by API for themselves and their site: their tokens, and the site's team."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from service.accounts import again
from service.accounts.guard import guarded, principal
from service.accounts.models import ApiToken, Invite, Moderator
from service.accounts.operations import Proof, proven
from service.comments.schemas import ListQuery, timestamp
from service.db import transaction
from service.doors import GuardedDoor, tells
from service.idempotency.operations import Answer, Asked, once
from service.moderation import team
from service.moderation import team_schemas as schemas
from service.moderation.scope import site_of
from service.moderation.team import Wanted
from service.pagination import read_cursor, write_cursor
from service.sites import queries as sites
from service.sites.models import Site
from service.sites.origins import own_origin

bp = GuardedDoor("moderators", __name__, url_prefix="/v1", description="Tokens, roles, invitations.")


@bp.route("/tokens")
@guarded("read")
@bp.arguments(ListQuery, location="query")
@bp.response(200, schemas.Tokens)
def read_tokens(query: dict[str, Any]) -> dict[str, Any]:
    """Your own tokens that nobody revoked, newest first. A token is told those of the sites it is good for."""
    found = team.my_tokens(principal(), read_cursor(query["cursor"], "tokens"), query["limit"])
    return {"tokens": [told_of(one) for one in found.rows], "next": write_cursor(found.next, "tokens")}


def told_of(token: ApiToken) -> dict[str, Any]:
    """A token as its owner is told it."""
    site = sites.site_by_id(token.site_id) if token.site_id else None
    return {
        "id": token.id,
        "name": token.name,
        "scopes": token.scopes,
        "site": site.key if site else None,
        "created_at": timestamp(token.created_at),
        "last_used_at": timestamp(token.last_used_at),
        "expires_at": timestamp(token.expires_at),
    }


@bp.route("/tokens", methods=["POST"])
@guarded("manage")
@bp.arguments(schemas.NewToken)
@bp.response(201, schemas.IssuedToken)
@tells(409, 429, headers=("Idempotency-Key",))
def issue_token(values: dict[str, Any]) -> tuple[Any, int]:
    """A new token in your own name, that can do no more than you. Its secret is told once."""
    password = values.pop("password")  # no answer is kept under it
    proof = _proof(password) if principal().kind == "session" else None

    def act() -> Answer:
        if proof:
            proven(proof)
        issued = team.issue_token(wanted_token(values), principal())
        told = schemas.IssuedToken().dump(told_of(issued.token) | {"token": issued.secret})
        return Answer(201, told, secrets=("token",))

    with transaction():
        done = once(_asked("tokens", values), act)
    return done.body, done.status


def _proof(password: str | None) -> Proof:
    return again.prove(again.typed(password, "password", "Type your password to make a token."), "password")


def wanted_token(values: dict[str, Any]) -> Wanted:
    """What a request, or a form of the desk, wants; NotFound for a site on which the principal has no role."""
    site = site_of(values["site"], "read") if values["site"] else None
    return Wanted(values["name"], values["scopes"], site.id if site else None, values["days"])


def _asked(door: str, body: Any) -> Asked:
    return Asked(by=principal().actor, door=f"team.{door}", key=request.headers.get("Idempotency-Key"), body=body)


@bp.route("/tokens/<uuid:token_id>", methods=["DELETE"])
@guarded("manage")
@bp.response(204)
def revoke_token(token_id: UUID) -> None:
    """End a token of yours at once."""
    with transaction():
        team.revoke_token(token_id, principal())


@bp.route("/moderators")
@guarded("manage")
@bp.arguments(schemas.TeamList, location="query")
@bp.response(200, schemas.Team)
def read_team(query: dict[str, Any]) -> dict[str, Any]:
    """Everybody with a role on a site of yours, the oldest account first."""
    site = site_of(query["site"], "manage")
    owner = ("team", site.key)
    found = team.members(site.id, principal(), read_cursor(query["cursor"], *owner), query["limit"])
    return {"moderators": [member(*one) for one in found.rows], "next": write_cursor(found.next, *owner)}


def member(one: Moderator, role: str) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "email": team.masked(one.email), "role": role}


@bp.route("/moderators/<uuid:moderator_id>", methods=["PATCH"])
@guarded("manage")
@bp.arguments(schemas.ChangeRole)
@bp.response(200, schemas.MemberView)
@tells(409)
def change_role(values: dict[str, Any], moderator_id: UUID) -> dict[str, Any]:
    """Give somebody else on a site of yours another role; a token gives none that may do more than itself."""
    proof = again.prove_for(values["role"], values["password"], "password")
    with transaction():
        site = site_of(values["site"], "manage")
        return member(team.set_role(moderator_id, site.id, values["role"], principal(), proof), values["role"])


@bp.route("/moderators/<uuid:moderator_id>", methods=["DELETE"])
@guarded("manage")
@bp.arguments(schemas.TeamQuery, location="query")
@bp.response(204)
@tells(409)
def take_role(query: dict[str, Any], moderator_id: UUID) -> None:
    """Take the role of somebody else on a site of yours away. Their account stays."""
    with transaction():
        team.take_role(moderator_id, site_of(query["site"], "manage").id, principal())


@bp.route("/moderators/invites")
@guarded("manage")
@bp.arguments(schemas.TeamList, location="query")
@bp.response(200, schemas.Invites)
def read_invites(query: dict[str, Any]) -> dict[str, Any]:
    """Invitations to a site of yours that can still be accepted, newest first."""
    site = site_of(query["site"], "manage")
    owner = ("invites", site.key)
    found = team.open_invites(site.id, principal(), read_cursor(query["cursor"], *owner), query["limit"])
    return {"invites": [invitation(one, site) for one in found.rows], "next": write_cursor(found.next, *owner)}


def invitation(one: Invite, site: Site) -> dict[str, Any]:
    return {
        "id": one.id,
        "site": site.key,
        "role": one.role,
        "name": one.name,
        "created_at": timestamp(one.created_at),
        "expires_at": timestamp(one.expires_at),
    }


@bp.route("/moderators/invites", methods=["POST"])
@guarded("manage")
@bp.arguments(schemas.NewInvite)
@bp.response(201, schemas.MadeInvite)
@tells(409, headers=("Idempotency-Key",))
def invite(values: dict[str, Any]) -> tuple[Any, int]:
    """A link that gives one person a role on a site of yours, once, within a week. It is told once.

    A token gives no role that may do more than itself, and its links end with it.
    """
    password = values.pop("password")  # no answer is kept under it
    proof = again.prove_for(values["role"], password, "password")

    def act() -> Answer:
        site = site_of(values["site"], "manage")
        made = team.invite(site.id, values["role"], values["name"], principal(), proof)
        told = invitation(made.invite, site) | {"link": link_of(made.secret)}
        return Answer(201, schemas.MadeInvite().dump(told), secrets=("link",))

    with transaction():
        done = once(_asked("invites", values), act)
    return done.body, done.status


def link_of(secret: str) -> str:
    """Where somebody accepts: the secret is in the fragment, which browsers send to no server."""
    return f"{own_origin()}/desk/sign-up#{secret}"


@bp.route("/moderators/invites/<uuid:invite_id>", methods=["DELETE"])
@guarded("manage")
@bp.response(204)
@tells(409)
def take_back(invite_id: UUID) -> None:
    """Take an invitation back: its link lets nobody in any more."""
    with transaction():
        team.take_back(invite_id, principal())
