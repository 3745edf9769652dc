"""Rules about the source. Each is held to a snippet that breaks it, so that none passes by looking away."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.contracts import source as rules
from tests.contracts.source import LONGEST_FILE, LONGEST_TESTS, Source, sources

WITH_SQL = {"queries.py"}
"""Beside them: what the database itself is made of."""
MAY_SAY_SQL = {
    "service/db.py": "INSERT, also … ON CONFLICT, for every table, in either dialect",
    "service/sqlite.py": "pragmas, and the lock that a transaction begins with",
    "service/revisions.py": "the lock that lets one process migrate",
}
MAY_COMMIT = {
    ("service/db.py", "_commit"),
    # The lock of the migrations belongs to a connection, not to rows.
    ("service/revisions.py", "_say"),
    # The sign-in library writes through its own datastore, before our row of the session is written.
    ("service/accounts/security.py", "_open_session"),
}
DOORS = {
    "routes.py", "site_routes.py", "people_routes.py", "pin_routes.py", "team_routes.py", "webhook_routes.py",
    "acts.py", "many.py", "reasons.py", "saved.py", "worker.py",
}  # fmt: skip
MORE_DOORS = {
    "service/desk/webhooks.py": "doors of the desk, in a file that is called like that of the verbs in moderation",
    "service/accounts/guard.py": "notes that an account is in use, in a transaction of its own",
    "service/accounts/again.py": "notes a password that was wrong, in a transaction of its own",
    "service/accounts/security.py": "the sign-in page is a door; the library owns its view",
    "service/desk/account.py": "the page of one's account is a door, with several forms",
    "service/desk/doorstep.py": "the open doors of the desk",
    "service/desk/factors.py": "forms of the account's page; desk.account only names its address",
    "service/desk/people.py": "doors of the desk, as acts.py has them",
    "service/desk/sites.py": "the form of a site's settings, as acts has those of its comments",
    "service/desk/team.py": "the page of a site's team is a door, with several forms",
    "service/desk/ui.py": "who asks for the news says what they look at, in a transaction of its own",
    "service/doctor/checks.py": "measures how long a commit takes",
    "service/embed/mine.py": "an author's page is a door; embed.routes only names its address",
    "service/transfer/importer.py": "a batch, a transaction: an import is many",
    "service/transfer/undo.py": "the same, backwards",
}
LONG_FUNCTIONS: dict[tuple[str, str], str] = {}
"""Functions above the measure, each with the reason why splitting it would read worse."""


@cache
def service() -> list[Source]:
    found = list(sources("service"))
    assert len(found) > 80, "the walk of the source went to the wrong place"
    return found


def breaches(rule: Callable[[Source], Any], among: list[Source]) -> dict[str, Any]:
    return {one.path: found for one in among if (found := rule(one))}


def test_sql_is_said_only_in_queries() -> None:
    elsewhere = [one for one in service() if one.name not in WITH_SQL and one.path not in MAY_SAY_SQL]
    models = [one for one in elsewhere if one.name == "models.py"]
    doors = [one for one in elsewhere if one.name != "models.py"]
    assert breaches(rules.sql_verbs, doors) == {}
    assert {found for one in models for found in rules.sql_verbs(one)} <= {"imports text"}
    assert [one.path for one in models if not rules.text_as_condition(one)] == []


def test_only_transaction_commits() -> None:
    found = {(one.path, name) for one in [*service(), *sources("migrations")] for name in rules.commits(one)}
    assert found == MAY_COMMIT


def test_only_doors_open_transactions() -> None:
    found = set(breaches(rules.transactions, service()))
    others = {one for one in found if Path(one).name not in DOORS and not one.startswith("service/cli/")}
    assert others == set(MORE_DOORS)
    assert len(found) > 10


def test_no_address_is_looked_up_where_it_is_typed() -> None:
    assert breaches(rules.lookups, service()) == {}


def test_only_config_reads_the_environment() -> None:
    assert set(breaches(rules.environment, [*service(), *sources("migrations")])) == {"service/config.py"}


def test_only_db_tells_the_time() -> None:
    assert set(breaches(rules.clocks, service())) == {"service/db.py"}


def test_every_name_says_what_it_holds() -> None:
    assert breaches(rules.empty_names, [*service(), *sources("migrations", "tests", "benchmarks")]) == {}


def test_no_file_is_too_long() -> None:
    # Migrations are lists of tables, written by Alembic and never edited again.
    written = [*service(), *sources("benchmarks")]
    long = {one.path: rules.length(one) for one in written if rules.length(one) > LONGEST_FILE}
    tests = {one.path: rules.length(one) for one in sources("tests") if rules.length(one) > LONGEST_TESTS}
    assert (long, tests) == ({}, {})


def test_no_function_is_too_long_without_a_reason() -> None:
    found = {(one.path, name): size for one in service() for name, size in rules.long_functions(one).items()}
    assert set(found) == set(LONG_FUNCTIONS), found


@pytest.mark.parametrize(
    ("rule", "snippet"),
    [
        (rules.sql_verbs, "from sqlalchemy import select"),
        (rules.sql_verbs, "from sqlalchemy import func, text"),
        (rules.sql_verbs, "from sqlalchemy.dialects.postgresql import insert as upsert"),
        (rules.sql_verbs, "import sqlalchemy as sa"),
        (rules.sql_verbs, "rows = db.session.scalars(db.select(Comment))"),
        (rules.sql_verbs, "rows = Comment.query.all()"),
        (rules.sql_verbs, "rows = db.session.query(Comment)"),
        (rules.sql_verbs, "connection.exec_driver_sql('DELETE FROM comments')"),
        (rules.commits, "def decide():\n    db.session.commit()"),
        (rules.commits, "db.session.commit()"),
        (rules.commits, "def door():\n    def inner():\n        if late:\n            session.begin_nested()"),
        (rules.transactions, "from service.db import transaction"),
        (rules.transactions, "from service import db\ndef decide():\n    with db.transaction():\n        pass"),
        (rules.lookups, "validate_email(text)"),
        (rules.lookups, "email_validator.validate_email(text, check_deliverability=True)"),
        (rules.environment, "import os\nsecret = os.environ['SECRET']"),
        (rules.environment, "import os\nsecret = os.getenv('SECRET')"),
        (rules.environment, "from os import environ"),
        (rules.environment, "from environs import Env"),
        (rules.clocks, "from datetime import UTC, datetime\nmoment = datetime.now(UTC)"),
        (rules.clocks, "from datetime import date\nday = date.today()"),
        (rules.clocks, "import time\nmoment = time.time()"),
        (rules.empty_names, "class CommentManager:\n    pass"),
        (rules.long_functions, "def f():\n" + "    pass\n" * 40),
        (rules.long_functions, "class A:\n    @mark\n    def f():\n" + "        pass\n" * 39),
    ],
)
def test_a_seeded_breach_is_seen(rule: Callable[[Source], Any], snippet: str) -> None:
    assert rule(Source("service/comments/operations.py", snippet))


@pytest.mark.parametrize("path", ["service/comments/utils.py", "service/common/words.py", "tests/helpers.py"])
def test_a_name_that_says_nothing_is_seen(path: str) -> None:
    assert rules.empty_names(Source(path, ""))


@pytest.mark.parametrize(
    ("snippet", "fine"),
    [
        ("Index('ix', 'seq', sqlite_where=text('seq IS NULL'))", True),
        ("column = mapped_column(server_default=text('now()'))", False),
        ("def count():\n    return db.session.execute(text('SELECT 1'))", False),
    ],
)
def test_a_model_says_sql_only_as_the_condition_of_an_index(snippet: str, fine: bool) -> None:
    assert rules.text_as_condition(Source("service/comments/models.py", snippet)) is fine


def test_a_function_of_the_measure_passes() -> None:
    assert rules.long_functions(Source("service/a.py", "def f():\n" + "    pass\n" * 39)) == {}


def test_a_long_file_is_seen() -> None:
    assert rules.length(Source("service/a.py", "pass\n" * (LONGEST_FILE + 1))) > LONGEST_FILE
