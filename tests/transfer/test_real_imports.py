"""Exports that people made: the account agrees with what was counted by hand, and twice is once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.sites.models import Site
from service.transfer import importer
from service.transfer.task import Order

from .balance import imbalance
from .conftest import stored

NAMES = ["andrea", "cclabs", "chrisjrob", "mythz", "theme-unit-test", "vincenttam"]


@pytest.mark.parametrize("name", NAMES)
def test_the_account_is_exact_and_a_second_run_adds_nothing(site: Site, shared: Path, name: str) -> None:
    folder = shared / "real" / f"wxr-{name}"
    [path] = folder.glob("*.xml")
    expected = json.loads((folder / "expected.json").read_text())
    first, second = (importer.run(Order(path=path, site_id=site.id)).as_dict() for _ in range(2))
    assert first["read"] == second["read"] == expected
    assert sum(first["imported"].values()) + first["skipped"]["total"] == expected["comments"]
    assert (second["imported"], second["skipped"]["total"]) == ({}, expected["comments"])
    assert len(stored()) == sum(first["imported"].values()) > 0
    assert imbalance() == []


def test_threads_keep_their_depth(site: Site, shared: Path) -> None:
    folder = shared / "real" / "wxr-theme-unit-test"
    expected = json.loads((folder / "expected.json").read_text())
    importer.run(Order(path=next(folder.glob("*.xml")), site_id=site.id))
    parents = {one.id: one.parent_id for one in stored().values()}

    def depth(one: Any) -> int:
        return 0 if parents[one] is None else 1 + depth(parents[one])

    assert max(map(depth, parents)) == expected["max_depth"]
