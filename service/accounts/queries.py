"""Questions about moderators, their roles, tokens and sessions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, tuple_, update

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
from service.db import db, insert_if_new, now
from service.pagination import Page, Position, page_of
from service.sites.models import Site


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


def add_moderator(values: dict[str, Any]) -> bool:
    """False when the address is taken, also by another transaction."""
    return insert_if_new(Moderator, values)


def roles_of(moderator_id: UUID) -> dict[UUID, str]:
    """{site: role}, as of this very moment."""
    rows = select(Membership.site_id, Membership.role).where(Membership.moderator_id == moderator_id)
    return dict(db.session.execute(rows).all())


def membership(moderator_id: UUID, site_id: UUID) -> Membership | None:
    return db.session.get(Membership, (moderator_id, site_id))


def people_of(site_id: UUID) -> list[tuple[Moderator, str]]:
    """Everybody with a role on a site."""
    rows = select(Moderator, Membership.role).join(Membership, Membership.moderator_id == Moderator.id)
    found = db.session.execute(rows.where(Membership.site_id == site_id).order_by(Moderator.email))
    return [(moderator, role) for moderator, role in found]


def all_site_ids() -> frozenset[UUID]:
    return frozenset(db.session.scalars(select(Site.id)))


def token_by_id(token_id: UUID) -> ApiToken | None:
    return db.session.get(ApiToken, token_id)


def token_with(digest: bytes) -> tuple[ApiToken, Moderator] | None:
    """The token with a digest, and whose it is."""
    rows = select(ApiToken, Moderator).join(Moderator, Moderator.id == ApiToken.moderator_id)
    found = db.session.execute(rows.where(ApiToken.digest == digest)).one_or_none()
    return (found[0], found[1]) if found else None


def tokens_of(moderator_id: UUID) -> Sequence[ApiToken]:
    """Newest first, revoked ones too."""
    mine = select(ApiToken).where(ApiToken.moderator_id == moderator_id)
    return db.session.scalars(mine.order_by(ApiToken.id.desc())).all()


def actors_of(moderator_id: UUID) -> list[str]:
    """What the audit log calls a moderator: in person, and by each token there ever was."""
    return [f"moderator:{moderator_id}", *(f"token:{one.id}" for one in tokens_of(moderator_id))]


def name_of(actor: str) -> str | None:
    """What a moderator or a token of the audit log is called; None for anybody else, and for what is gone."""
    kind, _, id_ = actor.partition(":")
    if kind not in ("moderator", "token"):
        return None
    one = token_by_id(UUID(id_)) if kind == "token" else moderator_by_id(UUID(id_))
    return one.name if one else None


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
    mine = update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None))
    db.session.execute(mine.values(ended_at=now()))


def end_sign_ins_of(moderator_id: UUID) -> None:
    theirs = update(SignIn).where(SignIn.moderator_id == moderator_id, SignIn.ended_at.is_(None))
    db.session.execute(theirs.values(ended_at=now()))


def see_sign_in(sign_in_id: UUID) -> None:
    db.session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=now()))


def see_token(token_id: UUID) -> None:
    db.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now()))


def forget_sign_ins(before: datetime) -> int:
    """Drop sessions that ended or were last seen before a moment; how many."""
    old = delete(SignIn).where(or_(SignIn.ended_at < before, SignIn.seen_at < before))
    return int(db.session.execute(old).rowcount)  # type: ignore[attr-defined]


def invite_with(digest: bytes) -> Invite | None:
    return db.session.scalar(select(Invite).where(Invite.digest == digest))


def invite_by_id(invite_id: UUID) -> Invite | None:
    return db.session.get(Invite, invite_id)


def open_invites(site_id: UUID) -> Sequence[Invite]:
    """Invitations to a site that can still be accepted, newest first."""
    fresh = select(Invite).where(Invite.site_id == site_id, Invite.expires_at > now())
    fresh = fresh.where(Invite.accepted_at.is_(None), Invite.revoked_at.is_(None))
    return db.session.scalars(fresh.order_by(Invite.id.desc())).all()


def end_invite(invite_id: UUID) -> bool:
    """Whether an invitation was good until now; nobody accepts it any more."""
    good = update(Invite).where(Invite.id == invite_id, Invite.accepted_at.is_(None), Invite.revoked_at.is_(None))
    done = db.session.execute(good.values(revoked_at=now()))
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def use_invite(invite_id: UUID, moderator_id: UUID) -> bool:
    """Whether an invitation was good until now; it is used up, also for whoever asks at the same moment."""
    good = update(Invite).where(Invite.id == invite_id, Invite.accepted_at.is_(None), Invite.revoked_at.is_(None))
    done = db.session.execute(good.values(accepted_at=now(), accepted_by=moderator_id))
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def forget_invites(before: datetime) -> int:
    """Drop invitations that could not be accepted any more before a moment; how many."""
    return int(db.session.execute(delete(Invite).where(Invite.expires_at < before)).rowcount)  # type: ignore[attr-defined]


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
    old = delete(TotpSecret).where(TotpSecret.confirmed_at.is_(None), TotpSecret.created_at <= before)
    return int(db.session.execute(old).rowcount)  # type: ignore[attr-defined]


def add_recovery(moderator_id: UUID, digests: Sequence[bytes]) -> None:
    rows = [{"moderator_id": moderator_id, "digest": one} for one in digests]
    db.session.execute(insert(RecoveryCode), rows)


def use_recovery(moderator_id: UUID, digest: bytes) -> bool:
    """Whether it is a recovery code that was good until now; it is used up."""
    mine = update(RecoveryCode).where(RecoveryCode.moderator_id == moderator_id, RecoveryCode.digest == digest)
    done = db.session.execute(mine.where(RecoveryCode.used_at.is_(None)).values(used_at=now()))
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


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


def use_challenge(digest: bytes) -> bool:
    """False when it was used before, also by another transaction."""
    return insert_if_new(UsedChallenge, {"digest": digest, "used_at": now()})


def forget_challenges(before: datetime) -> int:
    """Drop challenges that were used before a moment; how many."""
    old = delete(UsedChallenge).where(UsedChallenge.used_at <= before)
    return int(db.session.execute(old).rowcount)  # type: ignore[attr-defined]


def forget_passkeys(moderator_id: UUID, passkey_id: UUID | None = None) -> int:
    """Drop one passkey of a moderator, or all; how many."""
    mine = delete(Passkey).where(Passkey.moderator_id == moderator_id)
    if passkey_id is not None:
        mine = mine.where(Passkey.id == passkey_id)
    return int(db.session.execute(mine).rowcount)  # type: ignore[attr-defined]
