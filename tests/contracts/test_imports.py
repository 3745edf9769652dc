"""The import contracts of pyproject.toml: kept by the source, and broken by each seeded import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contracts.source import ROOT

LINTER = Path(sys.executable).parent / "lint-imports"


@dataclass(frozen=True)
class Seed:
    """What must not be: the contract that sees it, the file, the line in it, and how the report names it."""

    contract: str
    path: str
    line: str
    seen: str


def seed(contract: str, path: str, line: str, imported: str) -> Seed:
    importer = "service." + path.removesuffix(".py").replace("/", ".")
    return Seed(contract, path, line, f"{importer} -> {imported}")


SEEDS = [
    seed("rooms", "errors.py", "from service import db", "service.db"),
    seed("rooms", "comments/queries.py", "from service.moderation import models", "service.moderation.models"),
    seed("rooms", "embed/words.py", "from service.desk import words", "service.desk.words"),
    seed("rooms", "webhooks/outbox.py", "from service.idempotency import queries", "service.idempotency.queries"),
    Seed("rooms", "mail.py", "NOT_ON_THE_MAP = True", "mail"),
    seed("inside", "comments/queries.py", "from service.comments import operations", "service.comments.operations"),
    seed("inside", "comments/schemas.py", "from service.comments import models", "service.comments.models"),
    seed("inside", "comments/worker.py", "from service.comments import routes", "service.comments.routes"),
    Seed("inside", "sites/wishes.py", "NOT_ON_THE_MAP = True", "wishes"),
    seed("accounts", "accounts/operations.py", "from service.accounts import guard", "service.accounts.guard"),
    seed("faces", "embed/drawing.py", "from service.embed import routes", "service.embed.routes"),
    seed("doctor", "doctor/queries.py", "from service.doctor import checks", "service.doctor.checks"),
    seed("edges", "front/call.py", "from service.front import door", "service.front.door"),
    seed("transfer", "transfer/foreign.py", "from service.transfer import report", "service.transfer.report"),
    seed("unseal", "comments/routes.py", "from service.privacy.unseal import unseal", "service.privacy.unseal"),
    seed("unseal", "desk/views.py", "from service.privacy import unseal", "service.privacy.unseal"),
    seed("no-network", "comments/operations.py", "from service.spam import outside", "service.spam.outside"),
    seed(
        "no-network", "moderation/webhooks.py", "from service.outbound import transport", "service.outbound.transport"
    ),
    seed("outbound", "outbound/networks.py", "from service.outbound import addresses", "service.outbound.addresses"),
    seed("no-flask", "comments/operations.py", "from flask import request", "flask"),
    seed("no-flask", "sites/queries.py", "from flask import current_app", "flask"),
    seed("no-flask", "moderation/models.py", "import werkzeug.exceptions", "werkzeug"),
    seed("no-sql", "moderation/routes.py", "from sqlalchemy import func", "sqlalchemy"),
    seed("no-sql", "comments/schemas.py", "import sqlalchemy.orm", "sqlalchemy"),
    seed("no-sql", "embed/section.py", "from sqlalchemy.exc import SQLAlchemyError", "sqlalchemy"),
    seed("shapes", "moderation/schemas.py", "from service.comments.models import Comment", "service.comments.models"),
]


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter as `make contracts` does, on the package that lies in `root`."""
    return subprocess.run(
        [LINTER, "--no-cache", "--no-logo"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def contracts() -> dict[str, str]:
    """Every contract's id and name."""
    written = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {one["id"]: one["name"] for one in written["tool"]["importlinter"]["contracts"]}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the linter says of a copy with every seed in it, by contract. Without them, it finds nothing there."""
    copy = tmp_path_factory.mktemp("seeded")
    shutil.copy(ROOT / "pyproject.toml", copy)
    shutil.copytree(ROOT / "service", copy / "service", ignore=_not_source)
    untouched = lint(copy)
    assert untouched.returncode == 0, untouched.stdout
    for one in SEEDS:
        with (copy / "service" / one.path).open("a", encoding="utf-8") as file:
            file.write(f"\n{one.line}\n")
    return _sections(lint(copy).stdout)


def _not_source(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not name.endswith(".py") and not (Path(folder) / name).is_dir()}


def _sections(report: str) -> dict[str, str]:
    lines = report.partition("Broken contracts")[2].splitlines()
    found: dict[str, str] = {}
    section = ""
    for line in lines:
        section = next((id_ for id_, name in contracts().items() if name == line.strip()), section)
        found[section] = found.get(section, "") + line + "\n"
    return found


def test_the_rooms_keep_their_contracts() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("one", SEEDS, ids=lambda one: f"{one.contract}: {one.path}")
def test_a_seeded_import_is_caught(seeded: dict[str, str], one: Seed) -> None:
    assert one.seen in seeded[one.contract]


def test_every_contract_has_a_seed() -> None:
    assert set(contracts()) == {one.contract for one in SEEDS}
