"""What a cache in front does not know yet, and whose turn it is to tell it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update

from service.db import db, insert_or_update
from service.purges.models import PurgeTurn
from service.purges.policy import LONGEST_WAIT
from service.readcache.models import PublicChange

_TURN = 1


def _is_free(at: datetime) -> ColumnElement[bool]:
    """A turn that lasts longer than any can is of a clock that was put back since."""
    return or_(PurgeTurn.until <= at, PurgeTurn.until > at + LONGEST_WAIT)


def any_due(at: datetime) -> bool:
    """Whether there is something to tell, and nobody is at it, or waits to try again."""
    taken = select(PurgeTurn.id).where(~_is_free(at)).exists()
    due = select(PublicChange.seq).where(PublicChange.purged_at.is_(None), ~taken).limit(1)
    return db.session.scalar(due) is not None


def take(lease: UUID, at: datetime, until: datetime) -> bool:
    """Take the turn, by one statement; whether it was free."""
    values = {"id": _TURN, "lease": lease, "until": until}
    return insert_or_update(PurgeTurn, values, "id", when=_is_free(at))


def due(limit: int) -> Sequence[Any]:
    """`seq, place, site_id` of what is to be told, the oldest first."""
    rows = select(PublicChange.seq, PublicChange.place, PublicChange.site_id).where(PublicChange.purged_at.is_(None))
    return db.session.execute(rows.order_by(PublicChange.seq).limit(limit)).all()


def set_purged(seqs: Collection[int], at: datetime) -> None:
    """What has changed meanwhile has another `seq`, and is still to be told."""
    change = update(PublicChange).where(PublicChange.seq.in_(seqs)).values(purged_at=at)
    db.session.execute(change.execution_options(synchronize_session=False))


def turn(lease: UUID) -> PurgeTurn | None:
    """The turn, locked, if it still is somebody's."""
    return db.session.scalar(select(PurgeTurn).where(PurgeTurn.lease == lease).with_for_update())
