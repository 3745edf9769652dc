"""An archive of any size is imported in the same room."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from service.sites.models import Site
from service.transfer import importer
from service.transfer.task import Order

from .exports import comment, export, item, saved


def peak_of(site: Site, folder: Path, start: int, count: int, body: str) -> int:
    """The most memory in use while so many comments come in, beyond what was in use before."""
    numbers = range(start, start + count)
    path = saved(folder, export(*(item(comment(id=str(n), content=body), link=f"/p{n % 50}/") for n in numbers)))
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    importer.run(Order(path=path, site_id=site.id, dry_run=True))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - before


def test_memory_does_not_grow_with_the_export(site: Site, tmp_path: Path) -> None:
    body = "word " * 1_000
    small, large = peak_of(site, tmp_path, 1, 300, body), peak_of(site, tmp_path, 1, 1_500, body)
    assert (tmp_path / "export.xml").stat().st_size > 7_000_000
    assert large < 1.3 * small
