"""Take what a cache in front is to forget, and settle whether its hook took it; what lies between is in neither."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from service.db import new_id, now
from service.purges import queries
from service.purges.policy import LEASE, MOST_KEYS, MOST_ROWS, wait_after
from service.readcache import keys_of


@dataclass(frozen=True)
class Batch:
    """Surrogate keys that are to be forgotten, and the changes that they are of."""

    lease: UUID
    keys: frozenset[str]
    seqs: tuple[int, ...]


def take() -> Batch | None:
    """The next keys, each once; None when another worker is at it, or there are none."""
    moment, lease = now(), new_id()
    if not queries.take(lease, moment, moment + LEASE):
        return None
    keys: set[str] = set()
    seqs: list[int] = []
    for seq, place, site_id in queries.due(MOST_ROWS):
        more = keys_of([(place, site_id)])
        if len(keys | more) > MOST_KEYS:
            break
        keys |= more
        seqs.append(seq)
    batch = Batch(lease, frozenset(keys), tuple(seqs))
    if not seqs:
        settle(batch)
    return batch if seqs else None


def settle(batch: Batch, *, taken: bool = True, retry_after: float | None = None) -> None:
    """Note that the hook took a batch, and give the turn back; or keep it until it is time to try again.

    Whoever comes after the turn was taken over notes what was told, and leaves the turn alone.
    """
    if taken and batch.seqs:
        queries.set_purged(batch.seqs, now())
    turn = queries.turn(batch.lease)
    if turn is None:
        return
    turn.failures = 0 if taken else turn.failures + 1
    turn.until = now() if taken else now() + wait_after(turn.failures, retry_after)
