"""Bring an export in: read it once to know it, once more to store it in batches. Safe to run again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from service.db import db, transaction
from service.errors import Conflict
from service.sites import queries as sites
from service.sites.models import Site

from . import operations, queries
from .cleaning import Cleaned, cleaned
from .foreign import ForeignComment, Skipped
from .operations import Pair
from .report import Report
from .task import Order, Progress, Task

BATCH = 200

_TAKEN = "Its id belongs to another comment here, perhaps of another blog: give each blog a site of its own."


def run(order: Order, progress: Progress | None = None) -> Report:
    """Import an export in transactions of BATCH comments each; call it outside any other.

    What came before, by (site, source, source id), is left alone: an import that was stopped goes on when
    it is run again. An export that cannot be read to its end changes nothing. Raises UnreadableExport,
    NotFound (no site), Invalid (maps, a site without origin) and Conflict (another import is at work).
    """
    task = Task.of(order, progress or (lambda phase, done, total: None))
    db.session.rollback()  # reading a file takes its time: no snapshot is held meanwhile
    task.survey()
    if order.dry_run:
        _store(task)
        return task.report
    with transaction():
        task.import_id = operations.begin(order.site_id, task.source.name, order.actor)
    task.report.import_id = str(task.import_id)
    try:
        _store(task)
        _settle(task)
    except BaseException:
        with suppress(SQLAlchemyError):
            _end(task, "import.stopped")
        raise
    _end(task, "import.finished")
    return task.report


def _end(task: Task, action: str) -> None:
    assert task.import_id is not None
    with transaction():
        operations.end(task.import_id, action, task.report.summary())


@dataclass(frozen=True)
class _Arrival:
    """A row that becomes a comment."""

    row: ForeignComment
    cleaned: Cleaned


@dataclass(frozen=True)
class _Met:
    """What the database has under the ids of a batch and of its parents."""

    rows: dict[str, Row[Any]]
    places: dict[str, tuple[UUID, UUID]]
    """Comment and page by source id; those of this batch are added as they are stored."""


def _store(task: Task) -> None:
    done, total = 0, task.report.reading.comments
    for rows in task.batches(BATCH):
        _store_batch(task, [row for row in rows if _is_wanted(task, row)])
        done += len(rows)
        task.tell("import", done, total)


def _is_wanted(task: Task, row: ForeignComment) -> bool:
    refused = task.objection(row) or task.repetition(row)
    if refused:
        task.report.skip(refused)
    return refused is None


def _store_batch(task: Task, rows: Sequence[ForeignComment]) -> None:
    met = _meet(task, rows)
    # Rendering and sealing take the most time, and visitors wait while a transaction writes: so, before it.
    arrivals = [_Arrival(row, cleaned(row, task.source.name, task.target)) for row in rows if _is_new(task, row, met)]
    if task.order.dry_run:
        _weigh(task, arrivals, met)
    elif arrivals:
        _write(task, arrivals, met)
    for one in arrivals:
        task.report.imported[one.cleaned.status] += 1
        for code in one.cleaned.notes:
            task.report.note(code, one.row.source_id)


def _meet(task: Task, rows: Sequence[ForeignComment]) -> _Met:
    ids = {row.source_id for row in rows} | {row.parent_source_id for row in rows if row.parent_source_id}
    found = queries.known(task.order.site_id, task.source.name, ids)
    return _Met(found, {source_id: (row.id, row.page_id) for source_id, row in found.items()})


def _is_new(task: Task, row: ForeignComment, met: _Met) -> bool:
    found = met.rows.get(row.source_id)
    if found is not None and not _is_same(row, found):
        task.report.skip(Skipped(row.source_id, "id_taken", _TAKEN))
        return False
    if found is None or found.withdrawn:
        return True
    task.report.already += 1
    if found.parent_id is None and row.parent_source_id and not task.is_circling(row):
        task.late = task.late or row.parent_source_id in met.rows or task.has_parent(row)
    return False


def _is_same(row: ForeignComment, found: Row[Any]) -> bool:
    """Whether the stored comment is this one, by the date that an export never changes."""
    if row.created_at is None or "bad_date" in row.notes or row.created_at > found.received_at:
        return True
    return bool(row.created_at == found.created_at)


def _weigh(task: Task, arrivals: Sequence[_Arrival], met: _Met) -> None:
    """What `_write` would have to decide, without writing."""
    site = sites.site_by_id(task.order.site_id)
    assert site is not None
    for one in arrivals:
        _parent(task, one.row, met, _page(task, site, one.row))
    db.session.rollback()  # nothing was written: this ends the reading


def _write(task: Task, arrivals: Sequence[_Arrival], met: _Met) -> None:
    try:
        with transaction():
            site = sites.site_by_id(task.order.site_id)
            assert site is not None and task.import_id is not None
            fresh = [one.cleaned for one in arrivals if _place(task, site, one, met)]
            operations.bring(site, fresh, task.import_id)
    except IntegrityError as twin:
        raise Conflict(
            "Another import is writing to this site. When it has ended, run this one again: "
            "it goes on where it stopped."
        ) from twin


def _place(task: Task, site: Site, one: _Arrival, met: _Met) -> bool:
    """Give a comment its page and parent. False when it is here already and only has to come back."""
    page_id = _page(task, site, one.row)
    assert page_id is not None and task.import_id is not None
    parent_id = _parent(task, one.row, met, page_id)
    if found := met.rows.get(one.row.source_id):
        operations.bring_back(found.id, one.cleaned.status, task.import_id)
        return False
    comment = one.cleaned.comment
    comment.page_id, comment.parent_id = page_id, parent_id
    met.places[one.row.source_id] = (comment.id, page_id)
    return True


def _page(task: Task, site: Site, row: ForeignComment) -> UUID | None:
    """The page of a row; made if need be, except in a dry run."""
    key, home, alias = row.page.key or "", task.home(row), task.places.alias(row.page)
    if key in task.page_ids:
        return task.page_ids[key]
    if task.import_id:
        page_id: UUID | None = operations.page_for(site, home, row.page, task.import_id)
    else:
        here = sites.page_at(site, home.key)
        page_id = here.id if here else None
    task.page_ids[key] = page_id
    if row.page.url and home.url is None:
        task.report.note("bad_page_address", row.source_id)
    elif alias and not operations.give_alias(site, page_id, alias, task.import_id):
        task.report.note("alias_taken", row.source_id)
    return page_id


def _parent(task: Task, row: ForeignComment, met: _Met, page_id: UUID | None) -> UUID | None:
    """The comment that a row answers, if it is here already; notes why it is not, unless it is to come."""
    if row.parent_source_id is None:
        return None
    if task.is_circling(row):
        task.report.note("circle", row.source_id)
        return None
    comment_id, its_page = met.places.get(row.parent_source_id, (None, None))
    if comment_id and its_page == page_id:
        return comment_id
    if task.has_parent(row):
        task.late = True
    else:
        task.report.note("parent_missing", row.source_id)
    return None


def _settle(task: Task) -> None:
    """Hang the comments that came before their parents under them: once more through the export."""
    done, total = 0, task.report.reading.comments
    for rows in task.batches(BATCH) if task.late else ():
        replies = [row for row in rows if row.parent_source_id and not task.objection(row)]
        _settle_batch(task, [row for row in replies if not task.is_circling(row)])
        done += len(rows)
        task.tell("settle", done, total)


def _settle_batch(task: Task, rows: Sequence[ForeignComment]) -> None:
    met = _meet(task, rows)
    pairs = []
    for row in rows:
        child, parent = met.rows.get(row.source_id), met.rows.get(row.parent_source_id or "")
        if child is None or child.parent_id or not _is_same(row, child):
            continue
        if parent is not None and parent.page_id == child.page_id:
            pairs.append(Pair(row.source_id, child.id, parent.id))
        elif task.has_parent(row):
            task.report.note("parent_missing", row.source_id)
    if not pairs:
        return
    with transaction():
        circles = operations.settle(pairs)
    for source_id in circles:
        task.report.note("circle", source_id)
