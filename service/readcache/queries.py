"""What has changed of what the public is told: rows that triggers of the database write (migration 0028)."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine, delete, or_, select, text
from sqlalchemy.orm import aliased

from service.db import db, now
from service.readcache.models import PublicChange

Change = tuple[UUID, UUID]
"""A page and its site; or a site, twice."""

CHANNEL = "greenroom_public"
_SINCE = "SELECT seq, place, site_id FROM public_changes WHERE seq > ? ORDER BY seq"
# One statement, so one snapshot: whoever has not committed in it has no number below its xmin.
_FROM = text("""
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, txid, place, site_id
FROM (SELECT 1) AS once LEFT JOIN public_changes ON txid >= :horizon
""")
_KEPT = timedelta(hours=1)


def data_version(connection: sqlite3.Connection) -> int:
    """Another number whenever another connection has committed."""
    found: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return found


def last(connection: sqlite3.Connection) -> int:
    """The number of the newest change."""
    found: int = connection.execute("SELECT coalesce(max(seq), 0) FROM public_changes").fetchone()[0]
    return found


def since(connection: sqlite3.Connection, seq: int) -> list[Change]:
    """The changes after one; each place once, at its last change."""
    return [(UUID(place), UUID(site)) for _, place, site in connection.execute(_SINCE, (seq,))]


def from_horizon(engine: Engine, horizon: int) -> tuple[int, set[tuple[int, UUID, UUID]]]:
    """PostgreSQL: changes of transactions from one number on, and the number to begin with next time.

    Some come again: those of transactions that are younger than the oldest one that still runs.
    """
    with engine.connect() as connection:
        rows = connection.execute(_FROM, {"horizon": horizon}).all()
    return rows[0][0], {(txid, place, site) for _, txid, place, site in rows if txid is not None}


def forget_old() -> None:
    """PostgreSQL: whoever has not asked for so long begins anew. SQLite keeps one row a page.

    So does PostgreSQL of a page whose last change no hook took: should there be one some day, it is told.
    """
    newer = aliased(PublicChange)
    again = select(newer.seq).where(
        newer.place == PublicChange.place, newer.txid > PublicChange.txid, newer.purged_at.is_(None)
    )
    done = or_(PublicChange.purged_at.is_not(None), again.exists())
    change = delete(PublicChange).where(PublicChange.at < now() - _KEPT, done)
    db.session.execute(change.execution_options(synchronize_session=False))
