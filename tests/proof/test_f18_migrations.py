"""Figure 18: every migration, killed at every statement and started again; downgrades; several that start at once."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import make_url, text

from service import revisions
from service.config import Settings
from service.db import db, writing
from tests.support import FULL

from . import catalogue, killing
from .catalogue import Rows, Schema
from .killing import Ground, opened
from .ledger import Proof

pytestmark = pytest.mark.one_database

LINE = [one.revision for one in ScriptDirectory.from_config(revisions.config()).walk_revisions()][::-1]
BEFORE = [None, *LINE[:-1]]
"""The revisions that a migration starts from; None is an empty database."""

FEWEST = 20
"""Moments that the shortest upgrade has, from the revision before the last."""


@dataclass(frozen=True)
class Stages:
    """A database at every revision, with rows in every table that it then has."""

    ground: Ground
    schemas: dict[str | None, Schema]
    rows: dict[str | None, Rows]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stages(request: pytest.FixtureRequest, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Stages:
    place = tmp_path_factory.mktemp("killed")
    url = f"sqlite:///{place}/killed.db"
    if request.param == "postgresql":
        server = make_url(request.getfixturevalue("postgresql_url"))
        url = server.set(database=f"killed_{uuid4().hex[:8]}").render_as_string(hide_password=False)
    ground = Ground(replace(settings, database_url=url, busy_timeout=20), place)
    schemas: dict[str | None, Schema] = {}
    rows: dict[str | None, Rows] = {None: {}}
    ground.back(None)
    for number, revision in enumerate(LINE):
        with opened(ground):
            killing.move(revision)
            schemas[revision] = catalogue.schema(db.engine)
            rows[revision] = catalogue.fill(1 + 2 * number)
        ground.keep(revision)
    schemas[None] = {name: one for name, one in schemas[LINE[0]].items() if "alembic_version" in name}
    return Stages(ground, schemas, rows)


@pytest.fixture
def interrupted(stages: Stages, tmp_path: Path) -> Iterator[Stages]:
    """Control: one more migration, which commits in its middle."""
    migrations = tmp_path / "migrations"
    shutil.copytree(revisions.directory(), migrations)
    (migrations / "versions" / "9999_torn.py").write_text(_TORN.format(head=LINE[-1]))
    yield replace(stages, ground=replace(stages.ground, migrations=migrations))


_TORN = """
from alembic import op
revision, down_revision = "9999", "{head}"
def upgrade():
    op.execute("CREATE TABLE torn (id INTEGER)")
    op.get_bind().connection.commit()
    op.execute("CREATE TABLE apart (id INTEGER)")
"""


def wrong_when_killed(stages: Stages, start: str | None, wanted: Schema, at: int) -> list[str]:
    """Kill an upgrade from `start` at the moment of this number, and start again: what is wrong then."""
    stages.ground.back(start)
    moment = killing.kill(stages.ground, at)
    wrong = killing.wrong_after_start(stages.ground, stages.rows[start], wanted)
    return [f"from {start}, killed {moment:.80}: {one}" for one in wrong]


def of_the_first(moments: Sequence[str]) -> list[int]:
    """The moments of an upgrade's first migration, and of its commit. Those of the next have a start of their own."""
    last = next(at for at, one in enumerate(moments) if _IS_AT.match(one))
    return [at for at, one in enumerate(moments) if at <= last or one == killing.COMMIT]


_IS_AT = re.compile(r"after (INSERT INTO|UPDATE) alembic_version\b")


@pytest.mark.figure("18", quick=len(BEFORE), full=300)
def test_an_upgrade_that_was_killed_is_finished_by_the_next(stages: Stages, proof: Proof) -> None:
    chosen = random.Random(18)
    statements = 0
    for start in BEFORE:
        fatal = [chosen.randrange(FEWEST)]
        if FULL:
            stages.ground.back(start)
            moments = killing.moments(stages.ground)
            fatal = of_the_first(moments)
            statements += sum(moments[at].startswith("after ") for at in fatal)
        for at in fatal:
            proof.case(*wrong_when_killed(stages, start, stages.schemas[LINE[-1]], at))
    assert proof.result.cases >= 2 * statements
    proof.note(f"{statements or 'some'} statements, before and after each, and before each commit")


@pytest.mark.control("18")
def test_a_migration_that_commits_in_its_middle_is_found(interrupted: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    ground = interrupted.ground
    monkeypatch.setattr(revisions, "directory", lambda: ground.migrations)
    ground.back(LINE[-1])
    moments = killing.moments(ground)
    with opened(ground):
        wanted = catalogue.schema(db.engine)
    torn = next(at for at, one in enumerate(moments) if one.startswith("before CREATE TABLE apart"))
    assert wrong_when_killed(interrupted, LINE[-1], wanted, torn - 3) == []
    assert "already exists" in str(wrong_when_killed(interrupted, LINE[-1], wanted, torn))


@pytest.mark.figure("18", quick=len(LINE), full=len(LINE))
def test_each_step_down_leads_where_the_way_up_had_been(stages: Stages, proof: Proof) -> None:
    """And up again from there, with what both have still in it."""
    for above, below in zip(LINE[::-1], [*LINE[-2::-1], None], strict=True):
        stages.ground.back(above)
        with opened(stages.ground):
            killing.move(below or "base", up=False)
            left = catalogue.differing(catalogue.schema(db.engine), stages.schemas[below])
        common = {
            table: [{column: row[column] for column in row if column in kept[0]} for row in rows]
            for table, rows in stages.rows[above].items()
            if (kept := stages.rows[below].get(table))
        }
        found = killing.wrong_after_start(stages.ground, common, stages.schemas[LINE[-1]])
        proof.case(*(f"down to {below}: {one}" for one in left + found))


@pytest.mark.figure("18", quick=4, full=100)
def test_four_that_start_at_once_end_with_one_schema(stages: Stages, proof: Proof) -> None:
    for start in BEFORE * 5 if FULL else [None]:
        stages.ground.back(start)
        wrong = killing.at_once(stages.ground, 4)
        wrong += killing.wrong_after_start(stages.ground, stages.rows[start], stages.schemas[LINE[-1]])
        proof.cases(4, [f"from {start}: {one}" for one in wrong])


@pytest.mark.control("18")
def test_a_missing_index_and_a_changed_row_are_found(stages: Stages) -> None:
    stages.ground.back(LINE[-1])
    with opened(stages.ground), writing() as connection:
        connection.execute(text("DROP INDEX ix_comments_every"))
        connection.execute(text("UPDATE pages SET title = 'other' WHERE comment_count = 1"))
        connection.commit()
    wrong = killing.wrong_after_start(stages.ground, stages.rows[LINE[-1]], stages.schemas[LINE[-1]])
    assert [one.split(":")[0] for one in wrong] == ["index ix_comments_every", "pages"]
