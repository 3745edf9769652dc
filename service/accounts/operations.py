"""Make, change and close accounts; give and take roles and tokens; open and end sessions. Each is audited."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from service.accounts import passwords, queries
from service.accounts.models import ROLES, SCOPES, ApiToken, Membership, Moderator, SignIn, is_good, new_uniquifier
from service.audit.operations import Deed, record
from service.db import db, insert_if_new, new_id, now
from service.errors import Conflict, Invalid, NotFound

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
"""A session ends after so long without a request, and after so long anyhow."""

MOST_TOKENS = 100
"""That open something, of one account."""

_KEPT = timedelta(days=90)
_NAME_MAX = 80


def normal_address(address: str) -> str:
    """The one way in which an account's address is written."""
    return unicodedata.normalize("NFC", address).strip().lower()


def add_moderator(email: str, name: str, password: str | None, *, is_admin: bool = False, actor: str) -> Moderator:
    """A new account. Conflict when the address has one, Invalid when something cannot be taken."""
    address = good_address(email)
    kept = None if password is None else passwords.new(password, address)
    return add_account(address, name, kept, is_admin=is_admin, actor=actor)


def add_account(address: str, name: str, kept: str | None, *, is_admin: bool = False, actor: str) -> Moderator:
    """A new account at an address that is good, with the hash of its password. Conflict when the address has one."""
    values = {
        "id": new_id(),
        "email": address,
        "name": good_name(name),
        "password": kept,
        "active": True,
        "is_admin": is_admin,
        "fs_uniquifier": new_uniquifier(),
        "created_at": now(),
    }
    if not insert_if_new(Moderator, values):
        raise Conflict("There is an account with this address already.")
    moderator = queries.moderator_at(address)
    assert moderator is not None
    record(Deed("moderator.added", actor, None, moderator.id, {"name": moderator.name, "is_admin": is_admin}))
    return moderator


def good_address(text: str) -> str:
    """An address as an account has it. Invalid when it is none."""
    try:
        # Nothing is sent to it: a house may have addresses that the rest of the world cannot reach.
        validate_email(text.strip(), check_deliverability=False, globally_deliverable=False, test_environment=True)
    except EmailNotValidError as error:
        raise Invalid.field("email", "email", "This is not an e-mail address.") from error
    return normal_address(text)


def good_name(text: str) -> str:
    """A name of somebody, or of something of theirs, as it is kept. Invalid when it is empty or too long."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 0 < len(name) <= _NAME_MAX or not name.isprintable():
        raise Invalid.field("name", "name", f"A name has 1 to {_NAME_MAX} characters.")
    return name


def set_password(moderator: Moderator, password: str, *, actor: str) -> None:
    """A new password; every session of the account ends."""
    keep_password(moderator, passwords.new(password, moderator.email), actor=actor)


def keep_password(moderator: Moderator, kept: str, *, actor: str) -> None:
    """A new password, of which `kept` is the hash; every session of the account ends."""
    moderator.password = kept
    _end_sessions(moderator)
    record(Deed("moderator.password", actor, None, moderator.id))


@dataclass(frozen=True)
class Proof:
    """That somebody showed the password of an account, and which it was then."""

    moderator_id: UUID
    kept: str | None = field(repr=False)


def prove(moderator: Moderator, password: str, field: str = "old") -> Proof:
    """Invalid when it is not the moderator's password. `field`: in which they typed it."""
    if not passwords.fits(password, moderator.password):
        raise Invalid.field(field, "wrong", "This is not your present password.")
    return Proof(moderator.id, moderator.password)


def proven(proof: Proof) -> Moderator:
    """The account of a proof, locked until the transaction ends. Conflict when its password was changed meanwhile."""
    found = queries.locked_moderator(proof.moderator_id)
    if found.password != proof.kept:
        raise Conflict("The password of this account was changed meanwhile. Sign in again.")
    return found


def rename(moderator: Moderator, name: str, *, actor: str) -> None:
    before, moderator.name = moderator.name, good_name(name)
    record(Deed("moderator.renamed", actor, None, moderator.id, {"before": before, "after": moderator.name}))


def set_active(moderator: Moderator, active: bool, *, actor: str) -> None:
    """Open or close an account. Closing ends its sessions, and its tokens open nothing."""
    if not active:
        _keep_an_admin(moderator)
        _end_sessions(moderator)
    moderator.active = active
    record(Deed("moderator.opened" if active else "moderator.closed", actor, None, moderator.id))


def set_admin(moderator: Moderator, is_admin: bool, *, actor: str) -> None:
    """Make somebody an admin of the install, or no longer one. Conflict for the last one."""
    if not is_admin:
        _keep_an_admin(moderator)
    moderator.is_admin = is_admin
    record(Deed("moderator.admin", actor, None, moderator.id, {"is_admin": is_admin}))


def _keep_an_admin(moderator: Moderator) -> None:
    if moderator.is_admin and queries.locked_admins() <= {moderator.id}:
        raise Conflict("This is the last admin of this install.")


def _end_sessions(moderator: Moderator) -> None:
    moderator.fs_uniquifier = new_uniquifier()
    queries.end_sign_ins_of(moderator.id)
    db.session.flush()


def grant(moderator: Moderator, site_id: UUID, role: str, *, actor: str) -> None:
    """Give a role on a site, in place of the one before."""
    if role not in ROLES:
        raise Invalid.field("role", "role", f"A role is one of {', '.join(ROLES)}.")
    queries.locked_moderator(moderator.id)  # two clicks at once would both find none, and add one each
    held = queries.membership(moderator.id, site_id)
    before = held.role if held else None
    if held:
        held.role = role
    else:
        db.session.add(Membership(moderator_id=moderator.id, site_id=site_id, role=role))
    db.session.flush()
    record(Deed("role.granted", actor, site_id, moderator.id, {"before": before, "after": role}))


def withdraw(moderator: Moderator, site_id: UUID, *, actor: str) -> None:
    """Take the role on a site away. NotFound when there is none."""
    held = queries.membership(moderator.id, site_id)
    if held is None:
        raise NotFound("This moderator has no role on this site.")
    db.session.delete(held)
    db.session.flush()
    record(Deed("role.withdrawn", actor, site_id, moderator.id, {"before": held.role}))


@dataclass(frozen=True)
class NewToken:
    """What a token is to be good for. `site_id`: one site only; None for all sites of its moderator."""

    name: str
    scopes: Sequence[str]
    site_id: UUID | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Issued:
    """A new token, and the secret that nobody is told again."""

    token: ApiToken
    secret: str = field(repr=False)


def issue_token(moderator: Moderator, wanted: NewToken, *, actor: str) -> Issued:
    """A new token of a moderator. Invalid when a scope is unknown or the end is past, Conflict beyond MOST_TOKENS.

    Whoever lets somebody issue a token asks `Principal.covers` first.
    """
    unknown = set(wanted.scopes) - set(SCOPES)
    if unknown or not wanted.scopes:
        raise Invalid.field("scopes", "scope", f"A token has some of the scopes {', '.join(SCOPES)}.")
    if wanted.expires_at and wanted.expires_at <= now():
        raise Invalid.field("expires_at", "past", "A token cannot end before it begins.")
    if queries.number_of_good_tokens(moderator.id) >= MOST_TOKENS:
        raise Conflict(f"An account has at most {MOST_TOKENS} tokens. Revoke one first.")
    secret = f"grm_{secrets.token_urlsafe(32)}"
    token = ApiToken(
        id=new_id(),
        moderator_id=moderator.id,
        name=good_name(wanted.name),
        digest=digest_of(secret),
        scopes=[scope for scope in SCOPES if scope in wanted.scopes],
        site_id=wanted.site_id,
        created_at=now(),
        expires_at=wanted.expires_at,
    )
    db.session.add(token)
    db.session.flush()
    told = {"name": token.name, "scopes": token.scopes, "moderator_id": str(moderator.id)}
    record(Deed("token.issued", actor, wanted.site_id, token.id, told))
    return Issued(token, secret)


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def end_tokens(moderator: Moderator, *, actor: str) -> int:
    """No token of the account opens anything any more; how many did."""
    good = [one for one in queries.tokens_of(moderator.id) if is_good(one)]
    for one in good:
        revoke_token(one, actor=actor)
    return len(good)


def revoke_token(token: ApiToken, *, actor: str) -> None:
    """The token opens nothing from now on. Doing it twice is fine."""
    if token.revoked_at is None:
        token.revoked_at = now()
        record(Deed("token.revoked", actor, token.site_id, token.id))


def open_session(moderator_id: UUID, browser: str = "") -> UUID:
    """Somebody signed in; the id of the session."""
    sign_in = SignIn(id=new_id(), moderator_id=moderator_id, created_at=now(), seen_at=now(), browser=browser or None)
    db.session.add(sign_in)
    db.session.flush()
    record(Deed("session.opened", f"moderator:{moderator_id}", None, moderator_id))
    return sign_in.id


def end_session(sign_in_id: UUID, moderator_id: UUID) -> None:
    """Somebody signed out."""
    queries.end_sign_in(sign_in_id)
    record(Deed("session.ended", f"moderator:{moderator_id}", None, moderator_id))


def end_one_session(sign_in_id: UUID, moderator_id: UUID) -> None:
    """Somebody ends a session of theirs, on another device perhaps. NotFound when it is none of theirs that is open."""
    if sign_in_id not in {one.id for one in sessions_of(moderator_id)}:
        raise NotFound("There is no open session of yours by that id.")
    end_session(sign_in_id, moderator_id)


def end_other_sessions(moderator_id: UUID, kept: UUID | None) -> int:
    """End every session of a moderator but the one that is kept; how many."""
    ended = [one.id for one in sessions_of(moderator_id) if one.id != kept]
    for sign_in_id in ended:
        end_session(sign_in_id, moderator_id)
    return len(ended)


def sessions_of(moderator_id: UUID) -> Sequence[SignIn]:
    """The sessions of a moderator that still open the desk, the one seen last first."""
    return queries.open_sign_ins(moderator_id, seen_after=now() - IDLE, begun_after=now() - LONGEST)


def note_refused(moderator_id: UUID | None, step: str) -> None:
    """Somebody did not show what was asked of them: a password, a code, a passkey."""
    record(Deed("session.refused", "system", None, moderator_id, {"step": step}))


def note_failed_sign_in(address: str) -> None:
    """Somebody did not get in. What they typed is not kept: it may be a password in the wrong field."""
    address = normal_address(address)
    known = queries.id_of(address) if address.isprintable() else None
    record(Deed("session.refused", "system", None, known))


def purge() -> int:
    """Forget sessions that ended long ago; how many."""
    return queries.forget_sign_ins(now() - _KEPT)
