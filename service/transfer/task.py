"""An import at work: what was asked, what is known by now, and the account of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from service.errors import NotFound
from service.sites import queries as sites
from service.sites.addresses import Address

from . import wordpress
from .cleaning import Target, unsaid
from .foreign import ForeignComment, ForeignPage, Row, Skipped, objection
from .placing import Map, Places
from .report import Family, Kin, Report

MEGABYTE = 1024 * 1024

Progress = Callable[[str, int, int], None]
"""Called as (phase, done, total): `read` in bytes, then `import` and `settle` in comments."""


@dataclass(frozen=True)
class Source:
    """A foreign system: its name on our rows, in the report, before the numbers of its pages; its reader."""

    name: str
    format: str
    prefix: str
    read: Callable[..., Iterator[Row]]


SOURCES = {"wordpress": Source("wordpress", "wxr", "wp", wordpress.read)}


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to import, where to, and how.

    `maps` are pairs of an old and a new address; `pings` takes pingbacks and trackbacks too; `dry_run`
    writes nothing. `actor` is who asked, as the audit log names people.
    """

    path: Path
    site_id: UUID
    source: str = "wordpress"
    maps: Sequence[Map] = ()
    pings: bool = False
    dry_run: bool = False
    max_mb: int = 2048
    actor: str = "command"


@dataclass
class Task:
    """One import from its order to its report."""

    order: Order
    source: Source
    target: Target
    places: Places
    report: Report
    tell: Progress
    import_id: UUID | None = None
    page_ids: dict[str, UUID | None] = field(default_factory=dict)
    """The pages that were met, by their keys in the export; None for one that a dry run would make."""
    late: bool = False
    """Whether a parent came after its answer."""
    _kin: Kin = field(default_factory=lambda: Kin(Family()))
    _repeated: frozenset[int] = frozenset()
    _met: set[int] = field(default_factory=set)
    _addresses: dict[str, Address | None] = field(default_factory=dict)

    @classmethod
    def of(cls, order: Order, tell: Progress) -> Task:
        """Raises NotFound and Invalid."""
        site = sites.site_by_id(order.site_id)
        if site is None:
            raise NotFound("There is no site by that name.")
        source = SOURCES[order.source]
        places = Places(tuple(site.origins), order.maps, source.prefix)
        return cls(order, source, Target.of(site), places, Report(source.format), tell)

    def survey(self) -> None:
        """Read the whole export: count it, and learn who answers whom. It is refused here or not at all."""
        family, moved = Family(), set()
        for row in self._rows(lambda done, total: self.tell("read", done, total)):
            self.report.reading.add(row)
            if not isinstance(row, ForeignComment) or self.objection(row):
                continue
            parent = row.parent_source_id and self._member(row, row.parent_source_id)
            family.add(self._member(row, row.source_id), parent)
            home = self.home(row)
            left = self.places.moved_from(row.page, home)
            if left and home.key not in moved:
                moved.add(home.key)
                self.report.moved[left] += 1
        self._kin, self._repeated = Kin(family), self.report.reading.repeated()

    def batches(self, size: int) -> Iterator[list[ForeignComment]]:
        """The comments of the export, whatever they are."""
        batch: list[ForeignComment] = []
        for row in self._rows():
            if isinstance(row, ForeignComment):
                batch.append(row)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    def _rows(self, progress: Callable[[int, int], None] | None = None) -> Iterator[Row]:
        return self.source.read(self.order.path, progress=progress, max_bytes=self.order.max_mb * MEGABYTE)

    def objection(self, row: ForeignComment) -> Skipped | None:
        """Why a row is not imported, whatever else the export and the database hold."""
        refused = objection(row, pings=self.order.pings) or unsaid(row, self.target)
        if refused or self._address(row.page):
            return refused
        return Skipped(row.source_id, "no_page", "Its page has no address that can be read, and no number.")

    def repetition(self, row: ForeignComment) -> Skipped | None:
        """The objection to the second of two rows that share an id."""
        own = hash(row.source_id)
        if own not in self._repeated:
            return None
        if own in self._met:
            return Skipped(row.source_id, "duplicate_id", "Another comment of this export has the same id.")
        self._met.add(own)
        return None

    def home(self, row: ForeignComment) -> Address:
        """Where the page of a row without objection is on the site."""
        address = self._address(row.page)
        assert address is not None
        return address

    def _address(self, page: ForeignPage) -> Address | None:
        key = page.key or ""
        if key not in self._addresses:
            self._addresses[key] = self.places.address(page)
        return self._addresses[key]

    def is_circling(self, row: ForeignComment) -> bool:
        """Whether it answers itself, by whatever way round."""
        return self._kin.is_circling(self._member(row, row.source_id))

    def has_parent(self, row: ForeignComment) -> bool:
        """Whether the comment that it answers is imported from this same export, before or after it."""
        return self._kin.has(self._member(row, row.parent_source_id))

    def _member(self, row: ForeignComment, source_id: str | None) -> str:
        """A comment as the family knows it: by its page too, for no thread crosses pages."""
        return f"{self.home(row).key}\n{source_id}"
