"""Take an import back, batch by batch. It may be stopped and run again."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from service.db import transaction

from . import operations, queries

BATCH = 200

Progress = Callable[[int, int], None]


def undo(import_id: UUID, actor: str, progress: Progress | None = None) -> dict[str, int]:
    """Remove what an import brought, and nothing else.

    Answers `removed` comments and `pages`, and `kept`: comments with replies of others, which keep their
    place as deleted ones. A second time there is nothing left to do: all three are 0. `progress(done, total)`
    counts comments. Raises NotFound.
    """
    if operations.found(import_id).undone_at:
        return {"removed": 0, "kept": 0, "pages": 0}
    total = queries.count_brought(import_id)
    tell = progress or (lambda done, total: None)
    _withdraw(import_id, actor, lambda done: tell(done, total))
    removed = _erase(import_id)
    pages = _repeat(lambda: operations.erase_pages(import_id, BATCH))
    _repeat(lambda: operations.forget_aliases(import_id, BATCH))
    with transaction():
        counts = {"removed": removed, "kept": queries.count_brought(import_id), "pages": pages}
        operations.mark_undone(import_id, actor, counts)
    return counts


def _withdraw(import_id: UUID, actor: str, tell: Callable[[int], None]) -> None:
    done = 0
    while count := _once(lambda: operations.withdraw(import_id, actor, BATCH)):
        done += count
        tell(done)


def _erase(import_id: UUID) -> int:
    """Sweep from the last comment to the first until a sweep finds nothing; how many went.

    Replies mostly come after what they answer, so that one sweep takes whole threads.
    """
    removed = 0
    while swept := _sweep(import_id):
        removed += swept
    return removed


def _sweep(import_id: UUID) -> int:
    removed, before = 0, None
    while True:
        with transaction():
            count, before = operations.erase(import_id, before, BATCH)
        removed += count
        if before is None:
            return removed


def _repeat(step: Callable[[], int]) -> int:
    total = 0
    while count := _once(step):
        total += count
    return total


def _once(step: Callable[[], int]) -> int:
    with transaction():
        return step()
