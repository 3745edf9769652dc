"""Invite somebody by a link: whoever has it gets a role on a site, once, within a week."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from service.accounts import operations, passwords, queries
from service.accounts.models import ROLES, Invite, Moderator
from service.accounts.principal import acting
from service.audit.operations import Deed, record
from service.db import db, new_id, now
from service.errors import Conflict, Invalid, NotFound

GOOD_FOR = timedelta(days=7)
MOST_OPEN = 100
_SECRET = re.compile(r"gri_[A-Za-z0-9_-]{43}")
_KEPT = timedelta(days=90)


class NoInvite(NotFound):
    slug = "no-invitation"
    detail = "Nobody is invited by this link: it is not whole, was used or taken back, or is older than a week."


@dataclass(frozen=True)
class Invited:
    """A new invitation, and the secret of its link, which nobody is told again."""

    invite: Invite
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Newcomer:
    """Who somebody without an account says they are. `kept`: the hash of their password."""

    address: str
    name: str
    kept: str = field(repr=False)


def invite(site_id: UUID, role: str, name: str, *, actor: str, until: datetime | None = None) -> Invited:
    """A new invitation to a site. `name`: for whom it is, or nothing; `until`: its end, if it is an early one.

    Conflict beyond MOST_OPEN.
    """
    if role not in ROLES:
        raise Invalid.field("role", "role", f"A role is one of {', '.join(ROLES)}.")
    if queries.number_of_open_invites(site_id) >= MOST_OPEN:
        raise Conflict(f"A site has at most {MOST_OPEN} open invitations. Take one back first.")
    secret, ends = f"gri_{secrets.token_urlsafe(32)}", now() + GOOD_FOR
    made = Invite(
        id=new_id(), site_id=site_id, role=role, name=name, digest=operations.digest_of(secret), by=actor,
        created_at=now(), expires_at=min(ends, until or ends),
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    record(Deed("invite.made", actor, site_id, made.id, {"role": role, "name": name}))
    return Invited(made, secret)


def take_back(made: Invite, *, actor: str) -> None:
    """Nobody gets in by it from now on. Doing it twice is fine; Conflict when somebody got in."""
    if queries.end_invite(made.id):
        record(Deed("invite.revoked", actor, made.site_id, made.id))
        return
    db.session.refresh(made)
    who = queries.moderator_by_id(made.accepted_by) if made.accepted_by else None
    if who:
        raise Conflict(f"{who.name} has accepted this already. Remove their role instead.")


def behind(secret: str) -> Invite:
    """The invitation of a link, as long as it is good. NoInvite (404) in the same words whatever is wrong with it.

    It is good no longer than whoever made it may manage the site.
    """
    found = queries.open_invite_with(operations.digest_of(secret)) if _SECRET.fullmatch(secret) else None
    maker = acting(found.by) if found else None
    if found is None or maker is None or not maker.may(found.site_id, "manage"):
        raise NoInvite()
    return found


def accept(secret: str, moderator: Moderator) -> Invite:
    """Give the role of an invitation to an account. Conflict when it has one on the site that is no less."""
    found = behind(secret)
    held = queries.roles_of(moderator.id).get(found.site_id)
    ranks = list(ROLES)
    if held and ranks.index(held) >= ranks.index(found.role):
        raise Conflict(f"You have a role on this site already: {held}.")
    if not queries.use_invite(found.id, moderator.id):
        raise NoInvite()  # somebody was faster
    operations.grant(moderator, found.site_id, found.role, actor=f"moderator:{moderator.id}")
    record(Deed("invite.accepted", f"moderator:{moderator.id}", found.site_id, found.id))
    return found


def newcomer(email: str, name: str, password: str) -> Newcomer:
    """Invalid when something cannot be taken. Outside of a transaction: a hash takes long."""
    address = operations.good_address(email)
    return Newcomer(address, name, passwords.new(password, address))


def join(secret: str, who: Newcomer) -> Moderator:
    """Make an account for whoever has the link, with the role of the invitation.

    Conflict when the address has an account. Only somebody who was invited learns that; a stranger is told NoInvite
    whatever address they try.
    """
    found = behind(secret)
    try:
        made = operations.add_account(who.address, who.name, who.kept, actor=found.by)
    except Conflict as taken:
        raise Conflict("There is an account with this address. Sign in with it, then open the link again.") from taken
    accept(secret, made)
    return made


def purge() -> int:
    """Forget invitations that ended long ago; how many."""
    return queries.forget_invites(now() - _KEPT)
