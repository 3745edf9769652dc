"""An archive of any size is imported in the same room."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from service.sites.models import Site
from service.transfer import importer
from service.transfer.task import Order
from tests.support import FULL

from .exports import comment, export, item, saved

BATCH = 200 if FULL else 40


def peak_of(site: Site, folder: Path, count: int) -> int:
    """The most memory in use while so many comments come in, beyond what was in use before."""
    body = "word " * 1_000
    items = (item(comment(id=str(n), content=body), link=f"/p{n % 50}/") for n in range(1, count + 1))
    path = saved(folder, export(*items))
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    importer.run(Order(path=path, site_id=site.id, dry_run=True))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - before


def growth(site: Site, folder: Path) -> float:
    """How many times the memory that six batches take what one and a half take."""
    peak_of(site, folder, 1)  # what is made once and kept, such as compiled statements, counts for neither
    return peak_of(site, folder, 6 * BATCH) / peak_of(site, folder, 3 * BATCH // 2)


def test_memory_does_not_grow_with_the_export(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "BATCH", BATCH)
    assert growth(site, tmp_path) < 1.3


def test_memory_that_grows_would_be_seen(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the whole export in one batch."""
    monkeypatch.setattr(importer, "BATCH", 6 * BATCH)
    assert growth(site, tmp_path) > 2
