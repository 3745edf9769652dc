"""A newer Greenroom: a copy of this one with another version number, and with a migration more."""

from __future__ import annotations

import shutil
from pathlib import Path

from service import __version__
from service.revisions import head
from tests.conftest import ROOT

VERSION = "99.0.0"
EXPANDS = """
    op.add_column("comments", sa.Column("mood", sa.String(20)))
    op.create_index("ix_comments_mood", "comments", ["mood"])
    op.create_table("moods", sa.Column("mood", sa.String(20), primary_key=True))
"""
NARROWS = """
    op.alter_column("comments", "name", new_column_name="called")
"""
_MIGRATION = '''"""One more."""
import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{before}"
CONTRACTS = {contracts}


def upgrade() -> None:
{steps}
'''


def newer(place: Path, steps: str, *, contracts: bool = False) -> Path:
    """Where it is: what to put before everything in PYTHONPATH."""
    made = place / "newer"
    for name in ("service", "migrations"):
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
    here = made / "service/__init__.py"
    here.write_text(here.read_text().replace(__version__, VERSION))
    more = _MIGRATION.format(before=head(), contracts=contracts, steps=steps)
    (made / "migrations/versions/9000_more.py").write_text(more)
    return made
