"""What somebody does for themselves and their site: tokens in their name, roles of others, invitations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from service.accounts import invites, queries
from service.accounts import operations as accounts
from service.accounts.invites import Invited
from service.accounts.models import OWNER, ROLES, ApiToken, Invite, Moderator
from service.accounts.operations import Issued, NewToken, Proof
from service.accounts.principal import Principal, acting
from service.db import now
from service.errors import Conflict, Forbidden, Invalid, NotFound
from service.pagination import Page, Position
from service.sites import queries as sites


@dataclass(frozen=True)
class Wanted:
    """A token that somebody wants. `site_id` None: for all their sites; `days` None: without an end."""

    name: str
    scopes: Sequence[str]
    site_id: UUID | None = None
    days: int | None = None


def issue_token(wanted: Wanted, who: Principal) -> Issued:
    """A new token in somebody's own name. Forbidden when it would do more than they may.

    One that a token makes ends no later than its maker.
    """
    if not who.covers(wanted.scopes, wanted.site_id):
        raise Forbidden("A token can do no more than whoever makes it. Choose fewer scopes, or one of your sites.")
    wished = now() + timedelta(days=wanted.days) if wanted.days else None
    ends = min((one for one in (wished, who.ends) if one), default=None)
    return accounts.issue_token(_self(who), NewToken(wanted.name, wanted.scopes, wanted.site_id, ends), actor=who.actor)


def revoke_token(token_id: UUID, who: Principal) -> None:
    """End a token of one's own. NotFound when it is somebody else's; a token ends none that can do more than itself."""
    token = queries.token_by_id(token_id)
    if token is None or token.moderator_id != who.moderator_id or not _in_reach(token, who):
        raise NotFound("There is no token of yours by that id.")
    accounts.revoke_token(token, actor=who.actor)


def my_tokens(who: Principal, after: Position | None, limit: int) -> Page[ApiToken]:
    """Tokens in somebody's own name; a program is told those of the sites that it works for."""
    among = None if who.kind == "session" or who.is_admin else who.roles.keys()
    return queries.live_tokens(who.moderator_id, among, after, limit)


def _in_reach(token: ApiToken, who: Principal) -> bool:
    return who.kind == "session" or who.covers(token.scopes, token.site_id)


def _self(who: Principal) -> Moderator:
    found = queries.moderator_by_id(who.moderator_id)
    assert found is not None  # the guard has just found them
    return found


def set_role(moderator_id: UUID, site_id: UUID, role: str, who: Principal, proof: Proof | None = None) -> Moderator:
    """Give somebody on a site another role. NotFound for somebody who has none on it; `proof` as for `invite`."""
    moderator = _member(moderator_id, site_id, who)
    if queries.roles_of(moderator_id)[site_id] != role:
        _require_giving(role, who, proof)
        accounts.grant(moderator, site_id, role, actor=who.actor)
    return moderator


def _require_giving(role: str, who: Principal, proof: Proof | None) -> None:
    """Whoever gets in by a stolen session, or by a token, makes nobody who stays when that has ended.

    Under the site's lock: two owners who prove who they are, each to raise the other, would else wait for each other.
    """
    if who.kind == "session":
        if role == OWNER and proof is None:
            raise Invalid.field("password", "required", "Type your password to make an owner.")
        if proof:
            accounts.proven(proof)
        return
    _require_reach(role, who)
    if role == OWNER and who.ends:
        raise Forbidden("A token that ends makes no owner, who would stay.")


def _require_reach(role: str, who: Principal) -> None:
    """A session has passed a sign-in; a token may have been found."""
    if who.kind == "token" and not ROLES[role] <= who.scopes:
        raise Forbidden("A token gives and takes no role that may do more than itself.")


def take_role(moderator_id: UUID, site_id: UUID, who: Principal) -> None:
    """Take somebody's role on a site away, and with it all that their tokens and sessions open there."""
    accounts.withdraw(_member(moderator_id, site_id, who), site_id, actor=who.actor)


def _member(moderator_id: UUID, site_id: UUID, who: Principal) -> Moderator:
    """Somebody else with a role on the site. Nobody changes their own: so a site keeps an owner.

    Under the site's lock, and by what the asker may then: of two owners who remove each other, one is too late.
    """
    sites.locked_site(site_id)
    still = acting(who.actor)
    if still is None:
        raise NotFound()
    still.require(site_id, "manage")
    moderator = queries.moderator_by_id(moderator_id)
    if moderator is None or (role := queries.roles_of(moderator_id).get(site_id)) is None:
        raise NotFound("Nobody by that id has a role on this site.")
    if moderator_id == who.moderator_id:
        raise Conflict("Nobody changes their own role. Ask another owner, or an admin.")
    _require_reach(role, who)
    return moderator


def members(site_id: UUID, who: Principal, after: Position | None, limit: int) -> Page[tuple[Moderator, str]]:
    """Everybody with a role on a site, with the role."""
    who.require(site_id, "manage")
    return queries.members(site_id, after, limit)


def masked(address: str) -> str:
    """`a…@example.org`: enough to tell two people of one name apart."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


def invite(site_id: UUID, role: str, name: str, who: Principal, proof: Proof | None = None) -> Invited:
    """A link that gives one person a role on the site; a token's ends no later than the token.

    `proof`: of the password, which somebody at the desk needs to make an owner. Forbidden when a token would give more
    than it has.
    """
    who.require(site_id, "manage")
    _require_giving(role, who, proof)
    return invites.invite(site_id, role, name, actor=who.actor, until=who.ends)


def open_invites(site_id: UUID, who: Principal, after: Position | None, limit: int) -> Page[Invite]:
    who.require(site_id, "manage")
    return queries.open_invites(site_id, after, limit)


def take_back(invite_id: UUID, who: Principal) -> None:
    """An invitation lets nobody in any more. NotFound when it is of a site on which there is no role."""
    found = queries.invite_by_id(invite_id)
    if found is None or who.role_on(found.site_id) is None:
        raise NotFound("There is no invitation by that id.")
    who.require(found.site_id, "manage")
    invites.take_back(found, actor=who.actor)
