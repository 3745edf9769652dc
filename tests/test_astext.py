"""Ids and times that are read as text say what the objects would."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import bindparam, select

from service.astext import IdText, as_text
from service.comments.schemas import timestamp
from service.db import insert_rows, new_id, run, table_of, transaction
from service.sites.models import Page, Site

MOMENTS = (
    datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 1, 31, 12, 0, tzinfo=UTC),
    datetime(2026, 7, 1, 0, 0, 0, 999, tzinfo=UTC),
    datetime(2026, 7, 1, 0, 0, 0, 1_000, tzinfo=UTC),
)
_P = table_of(Page).c


@pytest.fixture
def pages(site: Site) -> dict[UUID, datetime]:
    """When pages were made, by their ids; none was ever closed."""
    made = {new_id(): moment for moment in MOMENTS}
    rows: list[dict[str, Any]] = [
        {"id": id_, "site_id": site.id, "key": f"/{n}", "title": "", "created_at": moment, "comment_count": 0}
        for n, (id_, moment) in enumerate(made.items())
    ]
    with transaction():
        insert_rows(Page, rows)
    return made


def test_ids_and_times_are_read_as_the_text_that_their_objects_make(pages: dict[UUID, datetime]) -> None:
    found = run(select(*(as_text(_P[name]) for name in ("id", "created_at", "closed_at", "title")))).all()
    made = {str(id_): moment.isoformat(timespec="microseconds").replace("+00:00", "Z") for id_, moment in pages.items()}
    assert {one.id: one.created_at for one in found} == made
    assert {(one.closed_at, one.title) for one in found} == {(None, "")}


def test_times_as_text_are_told_as_times_are_and_sort_so(pages: dict[UUID, datetime]) -> None:
    found = [one.created_at for one in run(select(as_text(_P.created_at)).order_by(_P.created_at))]
    assert found == sorted(found)
    assert [timestamp(one) for one in found] == [timestamp(one) for one in MOMENTS]
    assert [datetime.fromisoformat(one) for one in found] == list(MOMENTS)


def test_rows_are_found_by_ids_that_are_text(pages: dict[UUID, datetime]) -> None:
    one, other, *_ = pages
    among: Any = bindparam("ids", expanding=True, type_=IdText())
    asked = select(as_text(_P.id)).where(_P.id.in_(among))
    assert set(run(asked, ids=[str(one), str(other), str(new_id())]).scalars()) == {str(one), str(other)}
