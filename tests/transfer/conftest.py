"""A site to import into, and short ways to say what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.comments.models import Comment
from service.db import db
from service.sites.models import Page, Site
from service.transfer import importer
from service.transfer.report import Report
from service.transfer.task import Order

from .exports import export, saved

Bring = Callable[..., Report]


@pytest.fixture
def bring(site: Site, tmp_path: Path) -> Bring:
    """Import some items; keywords are those of an Order, and `progress`."""

    def run(*items: str, progress: Any = None, **more: Any) -> Report:
        path = saved(tmp_path, export(*items))
        return importer.run(Order(path=path, site_id=site.id, **more), progress)

    return run


def stored() -> dict[str, Comment]:
    """The imported comments by their source ids, as they are now."""
    db.session.rollback()
    rows = db.session.scalars(select(Comment).order_by(Comment.id))
    return {one.source_id or "": one for one in rows}


def tree() -> dict[str, str | None]:
    """Who answers whom, in the source's ids."""
    found = stored()
    ids = {one.id: source_id for source_id, one in found.items()}
    return {source_id: ids[one.parent_id] if one.parent_id else None for source_id, one in found.items()}


def pages() -> dict[str, Page]:
    """The pages by their keys."""
    db.session.rollback()
    return {one.key: one for one in db.session.scalars(select(Page))}
