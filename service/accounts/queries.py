"""Questions about moderators, their roles, tokens and sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select, update

from service.accounts.models import ApiToken, Membership, Moderator, SignIn
from service.db import db, insert_if_new, now
from service.sites.models import Site


def moderator_by_id(moderator_id: UUID) -> Moderator | None:
    return db.session.get(Moderator, moderator_id)


def moderator_at(address: str) -> Moderator | None:
    """The moderator with a normal address."""
    return db.session.scalar(select(Moderator).where(Moderator.email == address))


def id_of(address: str) -> UUID | None:
    """Whose address it is. The account is not loaded: that takes longer than to find none."""
    return db.session.scalar(select(Moderator.id).where(Moderator.email == address))


def moderators() -> Sequence[Moderator]:
    return db.session.scalars(select(Moderator).order_by(Moderator.email)).all()


def other_admins(moderator: Moderator) -> bool:
    """Whether somebody else could still administer the install."""
    others = select(Moderator.id).where(Moderator.is_admin, Moderator.active, Moderator.id != moderator.id)
    return db.session.scalar(others.limit(1)) is not None


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


def open_sign_in(sign_in_id: UUID, *, seen_after: datetime, begun_after: datetime) -> tuple[SignIn, Moderator] | None:
    """A session that nobody ended and that is fresh enough, and whose it is."""
    rows = select(SignIn, Moderator).join(Moderator, Moderator.id == SignIn.moderator_id)
    fresh = rows.where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None))
    fresh = fresh.where(SignIn.seen_at > seen_after, SignIn.created_at > begun_after)
    found = db.session.execute(fresh).one_or_none()
    return (found[0], found[1]) if found else None


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
