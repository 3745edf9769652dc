"""Moderators, what they may do where, and how they prove who they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from flask_security import UserMixin
from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, LargeBinary, Row, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id, now

SCOPES = ("read", "moderate", "manage")
"""What a door asks for; each is also a scope of tokens."""

ROLES = {
    "viewer": frozenset({"read"}),
    "moderator": frozenset({"read", "moderate"}),
    "owner": frozenset({"read", "moderate", "manage"}),
}
"""What a role on a site allows."""

OWNER = "owner"
"""The role that makes more of its kind, and so lasts longer than whatever opened the account."""


def new_uniquifier() -> str:
    return uuid4().hex


class Moderator(UserMixin, Base):
    """Somebody who may sign in. The mixin is all that flask-security asks for: its methods, no columns."""

    __tablename__ = "moderators"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)  # type: ignore[assignment]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """Always as `normal_address` writes it."""
    name: Mapped[str] = mapped_column(String(80))
    password: Mapped[str | None] = mapped_column(String(255))
    """An argon2id hash; without one nobody signs in here."""
    active: Mapped[bool] = mapped_column(default=True)
    is_admin: Mapped[bool] = mapped_column(default=False)
    """Admin of the install: everything on every site."""
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=new_uniquifier)
    """Stands for the moderator in a session's cookie. A new one ends every session."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class Membership(Base):
    """A moderator's role on a site."""

    __tablename__ = "memberships"
    __table_args__ = (CheckConstraint("role IN ('viewer', 'moderator', 'owner')", name="role"),)

    moderator_id: Mapped[UUID] = mapped_column(ForeignKey("moderators.id"), primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(20))


class ApiToken(Base):
    """A token for programs. Only its SHA-256 is kept: 32 random bytes need no slower hash."""

    __tablename__ = "api_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    moderator_id: Mapped[UUID] = mapped_column(ForeignKey("moderators.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("sites.id"))
    """The one site it is good for; None for all sites of its moderator."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


def is_good(token: ApiToken | Row[Any]) -> bool:
    """Whether nobody revoked a token, and it has not ended."""
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now())


class SignIn(Base):
    """A session. The cookie only names it, so signing out ends it for every copy of the cookie."""

    __tablename__ = "sign_ins"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    moderator_id: Mapped[UUID] = mapped_column(ForeignKey("moderators.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    browser: Mapped[str | None] = mapped_column(String(40))
    """As `browsers.described` calls it."""


class Invite(Base):
    """A link that gives one person a role on a site. Only a digest of its secret is kept."""

    __tablename__ = "invites"
    __table_args__ = (CheckConstraint("role IN ('viewer', 'moderator', 'owner')", name="role"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80), default="")
    """For whom it is, in the words of whoever made it."""
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    by: Mapped[str] = mapped_column(String(80))
    """Who made it, as the audit log says it."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[UUID | None] = mapped_column(ForeignKey("moderators.id"))
    revoked_at: Mapped[datetime | None]


class TotpSecret(Base):
    """What an app on somebody's phone makes codes from (RFC 6238). It counts once a code of it was typed."""

    __tablename__ = "totp_secrets"

    moderator_id: Mapped[UUID] = mapped_column(ForeignKey("moderators.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=now)
    confirmed_at: Mapped[datetime | None]
    last_counter: Mapped[int | None] = mapped_column(BigInteger)
    """The half minute of the newest code that was taken: no code is good twice."""


class RecoveryCode(Base):
    """Lets somebody in once who lost their phone. 120 random bits need no slow hash."""

    __tablename__ = "recovery_codes"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    moderator_id: Mapped[UUID] = mapped_column(ForeignKey("moderators.id"), index=True)
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """The public half of a key that somebody's device holds (WebAuthn)."""

    __tablename__ = "passkeys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    moderator_id: Mapped[UUID] = mapped_column(ForeignKey("moderators.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]


class UsedChallenge(Base):
    """A challenge that a passkey has answered: for as long as its cookie is good, no second answer is."""

    __tablename__ = "used_challenges"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    used_at: Mapped[datetime] = mapped_column(default=now)
