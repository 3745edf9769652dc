"""Questions about who is there. Rows are few: one for each moderator."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, true

from service.accounts.models import Moderator
from service.db import db, insert_or_update, now
from service.presence.models import Presence


def seen_until(moderator_id: UUID, comment_id: UUID) -> datetime | None:
    """Until when somebody is known to look at a comment."""
    row = select(Presence.until).where(Presence.moderator_id == moderator_id, Presence.comment_id == comment_id)
    return db.session.scalar(row)


def set_presence(moderator_id: UUID, site_id: UUID, comment_id: UUID, until: datetime) -> None:
    values = {"moderator_id": moderator_id, "site_id": site_id, "comment_id": comment_id, "until": until}
    insert_or_update(Presence, values, "moderator_id", when=true())


def others(moderator_id: UUID, site_ids: Collection[UUID]) -> list[tuple[UUID, str]]:
    """Comments of some sites with the names of those who look at them, without somebody themselves."""
    rows = select(Presence.comment_id, Moderator.name).join(Moderator, Moderator.id == Presence.moderator_id)
    rows = rows.where(Presence.until > now(), Presence.site_id.in_(site_ids), Presence.moderator_id != moderator_id)
    found = db.session.execute(rows.where(Moderator.active).order_by(Moderator.name, Moderator.id))
    return [(comment_id, name) for comment_id, name in found]


def forget(before: datetime) -> None:
    db.session.execute(delete(Presence).where(Presence.until < before))
