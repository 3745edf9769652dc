"""Who is asking, and what they may do: values only, made anew for each request."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.accounts import queries
from service.accounts.holders.queries import TokenRow, token_with
from service.accounts.models import ROLES, SCOPES, Moderator, is_good
from service.errors import Forbidden, NotFound


@dataclass(frozen=True)
class Principal:
    """Who is asking.

    `kind`: "session" (a person at the desk) or "token" (a program). `actor`: who the audit log says it was.
    `is_admin`: everything on every site. `scopes`: what a session or token is good for at most; the role on a
    site narrows it further. `roles`: {site: role}. `ends`: when the token does.
    """

    kind: str
    moderator_id: UUID
    name: str
    actor: str
    is_admin: bool
    scopes: frozenset[str]
    roles: Mapping[UUID, str]
    ends: datetime | None = None

    @property
    def sites(self) -> Collection[UUID] | None:
        """Where they have a role; None: everywhere."""
        return None if self.is_admin else self.roles.keys()

    def role_on(self, site_id: UUID) -> str | None:
        return "owner" if self.is_admin else self.roles.get(site_id)

    def may(self, site_id: UUID, scope: str) -> bool:
        role = self.role_on(site_id)
        return role is not None and scope in self.scopes and scope in ROLES[role]

    def require(self, site_id: UUID, scope: str) -> None:
        """NotFound without a role on the site, so as to tell nothing; Forbidden when the role is too low."""
        if self.role_on(site_id) is None:
            raise NotFound()
        if not self.may(site_id, scope):
            raise Forbidden(f"Your role on this site, or your token, does not allow to {scope}.")

    def require_admin(self) -> None:
        """Forbidden for anybody but an admin of the install who may manage."""
        if not self.is_admin or "manage" not in self.scopes:
            raise Forbidden("Only an admin of this install may do this.")

    def site_ids(self, scope: str) -> frozenset[UUID]:
        """The sites on which the scope is theirs."""
        sites = queries.all_site_ids() if self.is_admin else self.roles
        return frozenset(site_id for site_id in sites if self.may(site_id, scope))

    def covers(self, scopes: Iterable[str], site_id: UUID | None) -> bool:
        """Whether a token with these powers has no more than its maker: nobody gives what is not theirs."""
        if not set(scopes) <= self.scopes:
            return False
        if self.kind == "token" and not self.is_admin:
            return site_id is not None and site_id in self.roles
        return site_id is None or self.role_on(site_id) is not None


def of_moderator(moderator: Moderator) -> Principal:
    """A moderator in person: whatever the roles allow."""
    return Principal(
        kind="session",
        moderator_id=moderator.id,
        name=moderator.name,
        actor=f"moderator:{moderator.id}",
        is_admin=moderator.is_admin,
        scopes=frozenset(SCOPES),
        roles=queries.roles_of(moderator.id),
    )


def of_token(token: TokenRow, roles: Mapping[UUID, str]) -> Principal | None:
    """A program with a moderator's token: what both the token and the moderator's roles allow, right now.

    None when the token was revoked or has ended, or the account was closed.
    """
    if not (is_good(token) and token.active):
        return None
    everywhere = token.is_admin and token.site_id is None
    if token.site_id is not None:
        role = "owner" if token.is_admin else roles.get(token.site_id)
        roles = {token.site_id: role} if role else {}
    return Principal(
        kind="token",
        moderator_id=token.moderator_id,
        name=token.name,
        actor=f"token:{token.id}",
        is_admin=everywhere,
        scopes=frozenset(token.scopes),
        roles=roles,
        ends=token.expires_at,
    )


def acting(actor: str) -> Principal | None:
    """On whose behalf a job works, as they are now; None when the account is closed or the token revoked.

    `actor` as `Principal.actor` says it.
    """
    kind, _, id_ = actor.partition(":")
    if kind != "token":
        moderator = queries.moderator_by_id(UUID(id_))
        return of_moderator(moderator) if moderator and moderator.active else None
    found = token_with(id_=UUID(id_))
    return of_token(*found) if found else None


def name_of(actor: str) -> str | None:
    """What a moderator or a token of the audit log is called; None for anybody else, and for what is gone."""
    kind, _, id_ = actor.partition(":")
    if kind not in ("moderator", "token"):
        return None
    one = queries.token_by_id(UUID(id_)) if kind == "token" else queries.moderator_by_id(UUID(id_))
    return one.name if one else None
