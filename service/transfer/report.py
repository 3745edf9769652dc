"""What an import read, did and left out, counted as the rows pass by."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from datetime import datetime
from itertools import pairwise
from typing import Any

from .foreign import ForeignComment, ForeignPage, Mended, Row, Skipped

NOBODY = ROOTLESS = -1


class Reading:
    """What the export holds, everything counted, whether it is imported or not."""

    def __init__(self, source_format: str) -> None:
        self._format = source_format
        self._pages: Counter[str] = Counter()
        self._threads: Counter[str | None] = Counter()
        self._statuses: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        self._traits: Counter[str] = Counter()
        self._longest = 0
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._family = Family()
        self.notes: Counter[str] = Counter()
        self.mended = 0

    def add(self, row: Row) -> None:
        """Count one row of a reader."""
        if isinstance(row, ForeignComment):
            self._comment(row)
        elif isinstance(row, ForeignPage):
            self._pages[row.kind] += 1
        elif isinstance(row, Mended):
            self.mended += row.characters

    def _comment(self, comment: ForeignComment) -> None:
        self._threads[comment.page.key] += 1
        self._statuses[comment.source_status] += 1
        self._kinds[comment.source_kind] += 1
        self._traits["nested"] += comment.parent_source_id is not None
        self._traits["no_email"] += not comment.email
        self._traits["no_author"] += not comment.name
        self._traits["non_ascii"] += not comment.body.isascii()
        self._longest = max(self._longest, len(comment.body))
        self._family.add(comment.source_id, comment.parent_source_id)
        self.notes.update(comment.notes)
        if comment.created_at and "bad_date" not in comment.notes:
            self._first = min(self._first or comment.created_at, comment.created_at)
            self._last = max(self._last or comment.created_at, comment.created_at)

    def as_dict(self) -> dict[str, Any]:
        """The counts. `first` and `last` are lists of at most one UTC date, by the comments' own dates."""
        duplicates, orphans, depth = self._family.measured()
        return {
            "format": self._format,
            "items": self._pages.total(),
            "post_types": dict(self._pages),
            "threads": len(self._threads),
            "biggest_thread": max(self._threads.values(), default=0),
            "comments": self._threads.total(),
            "status": dict(self._statuses),
            "type": dict(self._kinds),
            "nested": self._traits["nested"],
            "max_depth": depth,
            "orphan_parents": orphans,
            "duplicate_ids": duplicates,
            "no_email": self._traits["no_email"],
            "no_author": self._traits["no_author"],
            "non_ascii": self._traits["non_ascii"],
            "longest": self._longest,
            "first": [f"{self._first:%Y-%m-%d %H:%M:%S}"] if self._first else [],
            "last": [f"{self._last:%Y-%m-%d %H:%M:%S}"] if self._last else [],
            "bad_dates": self.notes["bad_date"],
        }


class Family:
    """Who answers whom. It keeps eight bytes for an id, and sixteen more for a reply."""

    def __init__(self) -> None:
        self._ids = array("q")
        self._replies = array("q")
        self._parents = array("q")

    def add(self, source_id: str, parent_id: str | None) -> None:
        """Remember a comment, and its parent if it has one."""
        if not source_id:
            return
        self._ids.append(hash(source_id))
        if parent_id is not None:
            self._replies.append(hash(source_id))
            self._parents.append(hash(parent_id))

    def measured(self) -> tuple[int, int, int]:
        """Ids that occur again, parents that occur nowhere, and the deepest reply (a root is at 0)."""
        known = array("q", sorted(self._ids))
        above = array("q", [NOBODY]) * len(known)
        orphans = 0
        for reply, parent in zip(self._replies, self._parents, strict=True):
            place = bisect_left(known, parent)
            if place < len(known) and known[place] == parent:
                above[bisect_left(known, reply)] = place
            else:
                orphans += 1
        return sum(one == next_one for one, next_one in pairwise(known)), orphans, _deepest(above)


def _deepest(above: array[int]) -> int:
    """The longest chain of replies, where each place holds the place of its parent or NOBODY.

    What runs in a circle, or answers it, has no root to be measured from and does not count.
    """
    depths = array("q", [0]) * len(above)
    for start in range(len(above)):
        chain = []
        place = start
        while above[place] != NOBODY and not depths[place]:
            depths[place] = ROOTLESS
            chain.append(place)
            place = above[place]
        if depths[place] != ROOTLESS:
            for depth, member in enumerate(reversed(chain), depths[place] + 1):
                depths[member] = depth
    return max(max(depths, default=0), 0)


class Report:
    """The account of one import: what was read, what was imported, what was skipped and why."""

    def __init__(self, source_format: str) -> None:
        self.reading = Reading(source_format)
        self.imported: Counter[str] = Counter()
        self.skipped: list[Skipped] = []

    def skip(self, row: Skipped) -> None:
        """Set down a row that is not imported."""
        self.skipped.append(row)

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON: `read`, `notes`, `mended_characters`, `imported`, `skipped`."""
        return {
            "read": self.reading.as_dict(),
            "notes": dict(self.reading.notes),
            "mended_characters": self.reading.mended,
            "imported": dict(self.imported),
            "skipped": {
                "total": len(self.skipped),
                "by_reason": dict(Counter(row.reason_code for row in self.skipped)),
                "rows": [
                    {"source_id": row.source_id, "reason": row.reason_code, "detail": row.detail}
                    for row in self.skipped
                ],
            },
        }
