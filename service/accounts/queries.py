"""Questions about moderators, their roles, tokens and sessions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, cast, delete, func, literal, or_, select, tuple_, union_all, update
from sqlalchemy.sql import bindparam

from service.accounts.models import (
    ApiToken,
    Invite,
    Membership,
    Moderator,
    Passkey,
    RecoveryCode,
    SignIn,
    TotpSecret,
    UsedChallenge,
)
from service.db import db, insert_rows, now, run
from service.pagination import Page, Position, page_of
from service.sites.models import Site

_ROLES = select(Membership.site_id, Membership.role).where(Membership.moderator_id == bindparam("moderator"))


def moderator_by_id(moderator_id: UUID) -> Moderator | None:
    return db.session.get(Moderator, moderator_id)


def locked_moderator(moderator_id: UUID) -> Moderator:
    """An account as it is now, locked until the transaction ends: what belongs to it changes one after another."""
    mine = select(Moderator).where(Moderator.id == moderator_id).with_for_update()
    return db.session.scalars(mine.execution_options(populate_existing=True)).one()


def moderator_at(address: str) -> Moderator | None:
    """The moderator with a normal address."""
    return db.session.scalar(select(Moderator).where(Moderator.email == address))


def id_of(address: str) -> UUID | None:
    """Whose address it is. The account is not loaded: that takes longer than to find none."""
    return db.session.scalar(select(Moderator.id).where(Moderator.email == address))


def moderators() -> Sequence[Moderator]:
    return db.session.scalars(select(Moderator).order_by(Moderator.email)).all()


def locked_admins() -> set[UUID]:
    """Who can administer the install, locked until the transaction ends: they do not all leave at once."""
    admins = select(Moderator.id).where(Moderator.is_admin, Moderator.active).order_by(Moderator.id)
    return set(db.session.scalars(admins.with_for_update()))


def roles_of(moderator_id: UUID) -> dict[UUID, str]:
    """{site: role}, as of this very moment."""
    return dict(run(_ROLES, moderator=moderator_id).all())


def membership(moderator_id: UUID, site_id: UUID) -> Membership | None:
    return db.session.get(Membership, (moderator_id, site_id))


def people_of(site_id: UUID) -> list[tuple[Moderator, str]]:
    """Everybody with a role on a site."""
    return [(one, role) for one, role in db.session.execute(_team(site_id).order_by(Moderator.email))]


def _team(site_id: UUID) -> Select[Any]:
    both: Any = (Moderator, Membership.role)
    rows = select(*both).join(Membership, Membership.moderator_id == Moderator.id)
    return rows.where(Membership.site_id == site_id)


def members(site_id: UUID, after: Position | None, limit: int) -> Page[tuple[Moderator, str]]:
    """Everybody with a role on a site, and the role; the oldest account first, keyset-paged."""
    rows = _team(site_id)
    if after:
        rows = rows.where(tuple_(Moderator.created_at, Moderator.id) > (after.at, after.id))
    oldest = rows.order_by(Moderator.created_at, Moderator.id).limit(limit + 1)
    found = [(moderator, role) for moderator, role in db.session.execute(oldest)]
    return page_of(found, limit, lambda one: Position(one[0].created_at, one[0].id))


def all_site_ids() -> frozenset[UUID]:
    return frozenset(db.session.scalars(select(Site.id)))


def token_by_id(token_id: UUID) -> ApiToken | None:
    return db.session.get(ApiToken, token_id)


def tokens_of(moderator_id: UUID) -> Sequence[ApiToken]:
    """Newest first, revoked ones too."""
    mine = select(ApiToken).where(ApiToken.moderator_id == moderator_id)
    return db.session.scalars(mine.order_by(ApiToken.id.desc())).all()


def actors_of(moderator_id: UUID) -> Select[Any]:
    """What the audit log calls a moderator: in person, and by each token there ever was. A question within another."""
    digits = func.replace(cast(ApiToken.id, String), "-", "")  # SQLite keeps them without
    written: Any = func.substr(digits, 1, 8)
    for group in ((9, 4), (13, 4), (17, 4), (21, 12)):
        written = written + "-" + func.substr(digits, *group)
    tokens = select(literal("token:") + written).where(ApiToken.moderator_id == moderator_id)
    return select(union_all(select(literal(f"moderator:{moderator_id}")), tokens).subquery())


def number_of_good_tokens(moderator_id: UUID) -> int:
    """How many tokens of a moderator open something."""
    good = select(func.count()).where(ApiToken.moderator_id == moderator_id, ApiToken.revoked_at.is_(None))
    good = good.where(or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now()))
    return db.session.scalar(good) or 0


def live_tokens(
    moderator_id: UUID, site_ids: Collection[UUID] | None, after: Position | None, limit: int
) -> Page[ApiToken]:
    """Tokens of a moderator that nobody revoked, newest first, keyset-paged; those past their end too.

    `site_ids`: only those that are good for one of these sites; None: all.
    """
    mine = select(ApiToken).where(ApiToken.moderator_id == moderator_id, ApiToken.revoked_at.is_(None))
    if site_ids is not None:
        mine = mine.where(ApiToken.site_id.in_(list(site_ids)))
    if after:
        mine = mine.where(tuple_(ApiToken.created_at, ApiToken.id) < (after.at, after.id))
    found = db.session.scalars(mine.order_by(ApiToken.created_at.desc(), ApiToken.id.desc()).limit(limit + 1)).all()
    return page_of(found, limit, lambda one: Position(one.created_at, one.id))


def open_sign_in(sign_in_id: UUID, *, seen_after: datetime, begun_after: datetime) -> tuple[SignIn, Moderator] | None:
    """A session that nobody ended and that is fresh enough, and whose it is."""
    rows = select(SignIn, Moderator).join(Moderator, Moderator.id == SignIn.moderator_id)
    fresh = rows.where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None))
    fresh = fresh.where(SignIn.seen_at > seen_after, SignIn.created_at > begun_after)
    found = db.session.execute(fresh).one_or_none()
    return (found[0], found[1]) if found else None


def open_sign_ins(moderator_id: UUID, *, seen_after: datetime, begun_after: datetime) -> Sequence[SignIn]:
    """Sessions of a moderator that nobody ended and that are fresh enough, the one seen last first."""
    fresh = select(SignIn).where(SignIn.moderator_id == moderator_id, SignIn.ended_at.is_(None))
    fresh = fresh.where(SignIn.seen_at > seen_after, SignIn.created_at > begun_after)
    return db.session.scalars(fresh.order_by(SignIn.seen_at.desc(), SignIn.id.desc())).all()


def end_sign_in(sign_in_id: UUID) -> None:
    db.session.execute(update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None)).values(ended_at=now()))


def end_sign_ins_of(moderator_id: UUID) -> None:
    theirs = update(SignIn).where(SignIn.moderator_id == moderator_id, SignIn.ended_at.is_(None))
    db.session.execute(theirs.values(ended_at=now()))


def see_sign_in(sign_in_id: UUID) -> None:
    db.session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=now()))


def see_token(token_id: UUID) -> None:
    db.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now()))


def forget_sign_ins(before: datetime) -> int:
    """Drop sessions that ended or were last seen before a moment; how many."""
    return _rows(delete(SignIn).where(or_(SignIn.ended_at < before, SignIn.seen_at < before)))


def open_invite_with(digest: bytes) -> Invite | None:
    """Not one that is over: it would take longer to be refused than what never was."""
    return db.session.scalar(select(Invite).where(Invite.digest == digest, *_is_open()))


def invite_by_id(invite_id: UUID) -> Invite | None:
    return db.session.get(Invite, invite_id)


def open_invites(site_id: UUID, after: Position | None, limit: int) -> Page[Invite]:
    """Invitations to a site that can still be accepted, newest first, keyset-paged."""
    fresh = select(Invite).where(Invite.site_id == site_id, *_is_open())
    if after:
        fresh = fresh.where(tuple_(Invite.created_at, Invite.id) < (after.at, after.id))
    newest = fresh.order_by(Invite.created_at.desc(), Invite.id.desc()).limit(limit + 1)
    return page_of(db.session.scalars(newest).all(), limit, lambda one: Position(one.created_at, one.id))


def number_of_open_invites(site_id: UUID) -> int:
    those = select(func.count()).select_from(Invite).where(Invite.site_id == site_id, *_is_open())
    return db.session.scalar(those) or 0


def _is_open() -> tuple[Any, ...]:
    return Invite.expires_at > now(), Invite.accepted_at.is_(None), Invite.revoked_at.is_(None)


def end_invite(invite_id: UUID) -> bool:
    """Whether an invitation was good until now; nobody accepts it any more."""
    return _close_invite(invite_id, revoked_at=now())


def use_invite(invite_id: UUID, moderator_id: UUID) -> bool:
    """Whether an invitation was good until now; it is used up, also for whoever asks at the same moment."""
    return _close_invite(invite_id, accepted_at=now(), accepted_by=moderator_id)


def _close_invite(invite_id: UUID, **values: Any) -> bool:
    good = update(Invite).where(Invite.id == invite_id, Invite.accepted_at.is_(None), Invite.revoked_at.is_(None))
    return _rows(good.values(**values)) == 1


def _rows(statement: Any) -> int:
    """How many rows a statement changed."""
    return int(db.session.execute(statement).rowcount)  # type: ignore[attr-defined]


def forget_invites(before: datetime) -> int:
    """Drop invitations that could not be accepted any more before a moment; how many."""
    return _rows(delete(Invite).where(Invite.expires_at < before))


def totp_of(moderator_id: UUID, *, locked: bool = False) -> TotpSecret | None:
    """`locked`: nobody else takes a code of it until the transaction ends."""
    mine = select(TotpSecret).where(TotpSecret.moderator_id == moderator_id)
    return db.session.scalar(mine.with_for_update() if locked else mine)


def totp_secrets() -> Sequence[TotpSecret]:
    return db.session.scalars(select(TotpSecret).order_by(TotpSecret.moderator_id).with_for_update()).all()


def forget_totp(moderator_id: UUID) -> None:
    db.session.execute(delete(TotpSecret).where(TotpSecret.moderator_id == moderator_id))


def forget_set_ups(before: datetime) -> int:
    """Drop what was begun before a moment and never confirmed; how many."""
    return _rows(delete(TotpSecret).where(TotpSecret.confirmed_at.is_(None), TotpSecret.created_at <= before))


def add_recovery(moderator_id: UUID, digests: Sequence[bytes]) -> None:
    insert_rows(RecoveryCode, [{"moderator_id": moderator_id, "digest": one} for one in digests])


def use_recovery(moderator_id: UUID, digest: bytes) -> bool:
    """Whether it is a recovery code that was good until now; it is used up."""
    mine = update(RecoveryCode).where(RecoveryCode.moderator_id == moderator_id, RecoveryCode.digest == digest)
    return _rows(mine.where(RecoveryCode.used_at.is_(None)).values(used_at=now())) == 1


def recovery_left(moderator_id: UUID) -> int:
    mine = select(func.count()).where(RecoveryCode.moderator_id == moderator_id, RecoveryCode.used_at.is_(None))
    return int(db.session.scalar(mine) or 0)


def forget_recovery(moderator_id: UUID) -> None:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.moderator_id == moderator_id))


def passkeys_of(moderator_id: UUID) -> Sequence[Passkey]:
    """The oldest first."""
    return db.session.scalars(select(Passkey).where(Passkey.moderator_id == moderator_id).order_by(Passkey.id)).all()


def passkey_with(credential_id: bytes) -> Passkey | None:
    return db.session.scalar(select(Passkey).where(Passkey.credential_id == credential_id))


def locked_passkey(passkey_id: UUID) -> Passkey | None:
    """A passkey as it is now, locked until the transaction ends: its count only goes up."""
    one = select(Passkey).where(Passkey.id == passkey_id).with_for_update()
    return db.session.scalar(one.execution_options(populate_existing=True))


def forget_challenges(before: datetime) -> int:
    """Drop challenges that were used before a moment; how many."""
    return _rows(delete(UsedChallenge).where(UsedChallenge.used_at <= before))


def forget_passkeys(moderator_id: UUID, passkey_id: UUID | None = None) -> int:
    """Drop one passkey of a moderator, or all; how many."""
    mine = delete(Passkey).where(Passkey.moderator_id == moderator_id)
    if passkey_id is not None:
        mine = mine.where(Passkey.id == passkey_id)
    return _rows(mine)
