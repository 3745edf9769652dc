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

    @property
    def comments(self) -> int:
        """How many there are, of every kind."""
        return self._threads.total()

    def repeated(self) -> frozenset[int]:
        """Hashes of the ids that occur more than once."""
        return self._family.repeated()

    def as_dict(self) -> dict[str, Any]:
        """The counts. `first` and `last` are lists of at most one UTC date, by the comments' own dates."""
        duplicates, orphans, depth = self._family.measured()
        return {
            "format": self._format,
            "items": self._pages.total(),
            "post_types": dict(self._pages),
            "threads": len(self._threads),
            "biggest_thread": max(self._threads.values(), default=0),
            "comments": self.comments,
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
        known, above, orphans = self.linked()
        return sum(one == next_one for one, next_one in pairwise(known)), orphans, _deepest(above)

    def repeated(self) -> frozenset[int]:
        """Hashes of the ids that occur more than once."""
        return frozenset(one for one, next_one in pairwise(sorted(self._ids)) if one == next_one)

    def linked(self) -> tuple[array[int], array[int], int]:
        """The hashes of all ids in order, the place of each one's parent or NOBODY, and how many orphans."""
        known = array("q", sorted(self._ids))
        above = array("q", [NOBODY]) * len(known)
        orphans = 0
        for reply, parent in zip(self._replies, self._parents, strict=True):
            place = bisect_left(known, parent)
            if place < len(known) and known[place] == parent:
                above[bisect_left(known, reply)] = place
            else:
                orphans += 1
        return known, above, orphans


class Kin:
    """What is known about the members of a family once all are counted."""

    def __init__(self, family: Family) -> None:
        self._known, above, _ = family.linked()
        self._circling = frozenset(self._known[place] for place in _circling(above))

    def has(self, member: str) -> bool:
        """Whether a comment of this id was counted."""
        place = bisect_left(self._known, hash(member))
        return place < len(self._known) and self._known[place] == hash(member)

    def is_circling(self, member: str) -> bool:
        """Whether a comment answers itself, by whatever way round."""
        return hash(member) in self._circling


def _circling(above: array[int]) -> set[int]:
    """The places on a circle, where each place holds the place of its parent or NOBODY."""
    found: set[int] = set()
    walks = array("q", [NOBODY]) * len(above)
    for start in range(len(above)):
        chain = []
        place = start
        while place != NOBODY and walks[place] == NOBODY:
            walks[place] = start
            chain.append(place)
            place = above[place]
        if place != NOBODY and walks[place] == start:
            found.update(chain[chain.index(place) :])
    return found


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

    LISTED = 1_000

    def __init__(self, source_format: str) -> None:
        self.reading = Reading(source_format)
        self.import_id: str | None = None
        self.imported: Counter[str] = Counter()
        self.already = 0
        self.moved: Counter[str] = Counter()
        self.skipped: list[Skipped] = []
        self._notes: Counter[str] = Counter()
        self._noted: dict[str, list[str]] = {}

    def skip(self, row: Skipped) -> None:
        """Set down a row that is not imported."""
        self.skipped.append(row)

    def note(self, code: str, source_id: str) -> None:
        """Set down what had to be decided about a row that is imported; the first LISTED by name."""
        self._notes[code] += 1
        named = self._noted.setdefault(code, [])
        if len(named) < self.LISTED:
            named.append(source_id)

    def summary(self) -> dict[str, Any]:
        """The counts, without the list of skipped rows: as much for an import of any size."""
        by_reason = Counter(row.reason_code for row in self.skipped)
        if self.already:
            by_reason["already_imported"] += self.already
        return {
            "import": self.import_id,
            "read": self.reading.as_dict(),
            "notes": dict(self.reading.notes + self._notes),
            "mended_characters": self.reading.mended,
            "moved_pages": dict(self.moved),
            "imported": dict(self.imported),
            "skipped": {"total": by_reason.total(), "by_reason": dict(by_reason)},
        }

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON: the summary, which comments have a note, every skipped row.

        Comments that an earlier run brought (`already_imported`) are counted and not listed.
        """
        told = self.summary()
        told["noted"] = self._noted
        told["skipped"]["rows"] = [
            {"source_id": row.source_id, "reason": row.reason_code, "detail": row.detail} for row in self.skipped
        ]
        return told
