"""The account of an import: families, notes, reasons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.transfer import wordpress
from service.transfer.foreign import ForeignComment, ForeignPage, Skipped, objection
from service.transfer.report import Family, Report

from .exports import comment, export, item, saved


@pytest.mark.parametrize(
    ("links", "measured"),
    [
        ([], (0, 0, 0)),
        ([("1", None), ("2", "1"), ("3", "2")], (0, 0, 2)),
        ([("3", "2"), ("2", "1"), ("1", None)], (0, 0, 2)),
        ([("1", None), ("1", None), ("1", None)], (2, 0, 0)),
        ([("1", None), ("2", "9"), ("3", "2")], (0, 1, 1)),
        ([("1", "1")], (0, 0, 0)),
        ([("1", "2"), ("2", "1"), ("3", "1"), ("4", None), ("5", "4")], (0, 0, 1)),
        ([("", None), ("", None)], (0, 0, 0)),
        ([(str(n), str(n - 1) if n else None) for n in range(50_000)], (0, 0, 49_999)),
    ],
)
def test_families_are_measured(links: list[tuple[str, str | None]], measured: tuple[int, int, int]) -> None:
    family = Family()
    for source_id, parent_id in links:
        family.add(source_id, parent_id)
    assert family.measured() == measured


@pytest.fixture
def found(tmp_path: Path) -> ForeignComment:
    """A comment that nothing is wrong with."""
    [row, _] = wordpress.read(saved(tmp_path, export(item(comment()))))
    assert isinstance(row, ForeignComment)
    return row


def test_a_good_comment_meets_no_objection(found: ForeignComment) -> None:
    assert objection(found) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"source_id": ""}, "no_id"),
        ({"source_id": "9" * 65}, "bad_id"),
        ({"kind": "pingback"}, "ping"),
        ({"kind": "trackback"}, "ping"),
        ({"kind": "order_note"}, "other_kind"),
        ({"body": ""}, "empty"),
    ],
)
def test_what_cannot_become_a_comment_is_skipped_with_the_reason(
    found: ForeignComment, changes: dict[str, Any], code: str
) -> None:
    skipped = objection(replace(found, **changes))
    assert skipped is not None
    assert skipped.reason_code == code


def test_a_comment_on_a_page_of_no_name_is_skipped(found: ForeignComment) -> None:
    nowhere: ForeignPage = replace(found.page, source_id=None, url=None)
    skipped = objection(replace(found, page=nowhere))
    assert skipped is not None
    assert skipped.reason_code == "no_page"


def test_pingbacks_can_be_asked_for(found: ForeignComment) -> None:
    assert objection(replace(found, kind="pingback"), pings=True) is None


def test_every_skipped_row_is_listed_and_counted() -> None:
    report = Report("wxr")
    report.skip(Skipped("1", "ping", "It is a pingback."))
    report.skip(Skipped("2", "ping", "It is a pingback."))
    report.skip(Skipped("3", "empty", "It has no text."))
    assert report.as_dict()["skipped"] == {
        "total": 3,
        "by_reason": {"ping": 2, "empty": 1},
        "rows": [
            {"source_id": "1", "reason": "ping", "detail": "It is a pingback."},
            {"source_id": "2", "reason": "ping", "detail": "It is a pingback."},
            {"source_id": "3", "reason": "empty", "detail": "It has no text."},
        ],
    }


def test_notes_and_mended_characters_are_reported(tmp_path: Path) -> None:
    odd = [comment(date_gmt="0000-00-00 00:00:00"), comment(id="2", approved="?", content="a\x01")]
    report = Report("wxr")
    for row in wordpress.read(saved(tmp_path, export(item(*odd)))):
        report.reading.add(row)
    told = report.as_dict()
    assert told["notes"] == {"bad_date": 1, "unknown_status": 1}
    assert told["mended_characters"] == 1
    assert told["read"]["bad_dates"] == 1


def test_an_export_of_nothing_has_no_first_and_last(tmp_path: Path) -> None:
    report = Report("wxr")
    for row in wordpress.read(saved(tmp_path, export())):
        report.reading.add(row)
    told = report.as_dict()["read"]
    assert (told["items"], told["first"], told["last"], told["max_depth"]) == (0, [], [], 0)
