"""Hygiene: what is asked of any service by a standard, and what a service must not be started with.

Headers on every route are figure 7's (test_f07_headers.py). What a scanner of sources would look for is looked for by
ruff's S rules at every check; vulnerable dependencies are not, since that needs a network.
"""

from __future__ import annotations

import base64
import random
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from passlib.context import CryptContext

from service.app import create_app
from service.config import Settings
from service.privacy import keys
from tests.cli.inprocess import run
from tests.conftest import ROOT
from tests.contracts.test_linting import codes
from tests.processes import environment
from tests.support import FULL

from .fleet import fronted
from .ledger import Proof

TABLE = Path(__file__).parent / "asvs.toml"
ENOUGH = 60

KEYS = ("SECRET_KEY", "EMAIL_KEYS", "INDEX_KEY", "AUDIT_KEY")
GUESSABLE = [
    "changeme", "x" * 64, "changeme" * 8, "change-me-change-me-change-me-change-me", "0123456789" * 4,
    "please-change-this-secret-key-in-production!!", "greenroom-secret-key-of-my-own-blog-42", "kQ8vXz2LmN4pR7sT" * 4,
    "abcdefghijklmnopqrstuvwxyz0123456789", "correct horse battery password staple", "Zk3!vQ9#mX7$pL2&nR5*tW8^bY4@cD6",
]  # fmt: skip
UNFIT = {
    "EMAIL_KEYS": ["changeme", "x" * 44, base64.urlsafe_b64encode(bytes(32)).decode(), "a" * 43 + "="],
}
"""What is no good key: of examples, repeated, or too short; and no Fernet key, or one of zeros."""


def table(path: Path = TABLE) -> dict[str, list[str]]:
    """{number of a requirement: our words for it, and the tests that show it}."""
    found: dict[str, list[str]] = tomllib.loads(path.read_text())
    return found


def written() -> set[str]:
    """Every test there is, as the table names it."""
    names = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        place, room = path.relative_to(ROOT / "tests"), ""
        for indent, kind, name in _DEFINED.findall(path.read_text()):
            if kind == "class":
                room = f"{name}::"
            elif name.startswith("test_"):
                names.add(f"{place}::{room if indent else ''}{name}")
    return names


_DEFINED = re.compile(r"^( {4})?(class|def) (\w+)", re.MULTILINE)


def unshown(rows: Mapping[str, list[str]], tests: set[str]) -> Iterator[str]:
    """Rows that say nothing, name no test, or one that is not there."""
    for number, (words, *shown) in rows.items():
        if not re.fullmatch(r"(1[0-7]|[1-9])\.[1-9]\.\d{1,2}", number) or len(words) < 20:
            yield f"{number}: {words}"
        if not shown:
            yield f"{number}: no test"
        yield from (f"{number}: {one} is not there" for one in shown if one not in tests)


@pytest.mark.figure("20", quick=ENOUGH, full=ENOUGH)
def test_requirements_of_the_standard_are_shown_by_tests_that_are_there(proof: Proof) -> None:
    rows = table()
    proof.cases(len(rows), unshown(rows, collected(rows) if FULL else written()))
    proof.note(
        f"{len(rows)} requirements of ASVS 5.0, {len({one for _, *shown in rows.values() for one in shown})} tests"
    )


def collected(rows: Mapping[str, list[str]]) -> set[str]:
    """What pytest itself collects in the files that the table names."""
    files = sorted({f"tests/{one.partition('::')[0]}" for _, *shown in rows.values() for one in shown})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120, check=True)
    return {line.partition("[")[0].removeprefix("tests/") for line in done.stdout.splitlines() if "::" in line}


@pytest.mark.control("20")
def test_a_requirement_without_its_test_is_seen() -> None:
    gone = {"2.4.1": ["calls are limited by somebody", "proof/test_f08_limits.py::test_that_is_not_there"]}
    found = list(unshown(gone | {"3.3.1": ["cookies are what they should be"], "99.1.1": ["short"]}, written()))
    assert [one.partition(":")[0] for one in found] == ["2.4.1", "3.3.1", "99.1.1", "99.1.1"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with good keys, and a database that is ready."""
    assert run("migrate", cwd=tmp_path, env=environment()).returncode == 0
    return tmp_path


KEYLESS = {"listen"}
"""What runs on an integrator's machine, where nothing of ours is: it reads no key."""


def bad_keys() -> list[tuple[str, str]]:
    return [(name, value) for name in KEYS for value in UNFIT.get(name, GUESSABLE)]


@pytest.mark.figure("20", quick=50, full=400)
def test_nothing_starts_with_a_key_that_can_be_guessed(place: Path, proof: Proof) -> None:
    """Every command, with every such key in the environment or in the keys file, says which and ends with 78."""
    chance = random.Random(20)
    commands = sorted({*create_app(Settings(keys_file=str(place / "greenroom.keys"))).cli.commands} - KEYLESS)
    assert {"serve", "worker", "demo"} <= set(commands)
    good = (place / "greenroom.keys").read_text()
    for name, value in bad_keys():
        for command in commands if FULL else ["serve", chance.choice(commands)]:
            proof.case(*started(command, name, place, environment(**{f"GREENROOM_{name}": value})))
        (place / "greenroom.keys").write_text(f"{good}{name}={value}\n")  # the last line of a name counts
        proof.case(*started("serve", name, place, environment()))
        (place / "greenroom.keys").write_text(good)


@pytest.mark.figure("20", quick=8, full=40)
def test_production_starts_with_no_key_missing(place: Path, proof: Proof) -> None:
    commands = sorted({*create_app(Settings(keys_file=str(place / "greenroom.keys"))).cli.commands} - KEYLESS)
    lines = (place / "greenroom.keys").read_text().splitlines()
    env = environment(GREENROOM_ENV="production", GREENROOM_PUBLIC_URL="https://comments.example.org")
    for name in KEYS:
        (place / "greenroom.keys").write_text("\n".join(one for one in lines if not one.startswith(name)))
        for command in commands if FULL else ("serve", "worker"):
            proof.case(*started(command, name, place, env))


def started(command: str, name: str, place: Path, env: Mapping[str, str]) -> Iterator[str]:
    """What is wrong about a command that should have been refused for a key."""
    done = run(command, cwd=place, env=env)
    if done.returncode != 78 or f"GREENROOM_{name}" not in done.stderr or "Traceback" in done.stderr:
        yield f"{command} with {name} {env.get(f'GREENROOM_{name}')!r}: {done.returncode} {done.stderr!r}"


@pytest.mark.control("20")
def test_a_start_that_looks_at_no_key_is_seen(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_is_guessable", lambda key: False)
    assert list(started("doctor", "SECRET_KEY", place, environment(GREENROOM_SECRET_KEY="changeme")))


def test_keys_that_are_made_are_never_taken_for_guessable(tmp_path: Path) -> None:
    for number in range(200):
        path = tmp_path / str(number)
        keys.create(path)
        keys.obtain(Settings(env="production", keys_file=str(path)))


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> FlaskClient:
    """Of an app whose operator left the switches of debugging on, and one of whose doors breaks."""
    for name in ("FLASK_DEBUG", "FLASK_ENV", "PYTHONDEVMODE", "WERKZEUG_DEBUG_PIN"):
        monkeypatch.setenv(name, "1" if name != "FLASK_ENV" else "development")
    app = create_app(settings)

    def breaks(**_: Any) -> NoReturn:
        raise RuntimeError("the words of an error, and a /path/of/ours")

    app.view_functions |= dict.fromkeys(("health.healthz", "embed.home", "comments.read_thread"), breaks)
    return app.test_client()


def test_debugging_is_never_on(client: FlaskClient) -> None:
    app: Flask = client.application
    assert (app.debug, app.testing, app.config["TRAP_HTTP_EXCEPTIONS"]) == (False, False, False)


@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
@pytest.mark.parametrize("path", ["/", "/healthz"])
def test_an_error_page_tells_nothing_of_ours(client: FlaskClient, path: str, accept: str) -> None:
    answer = client.get(path, headers={"Accept": accept})
    assert answer.status_code == 500
    assert not LEAKS.search(answer.text + str(answer.headers)), answer.text


LEAKS = re.compile(
    r"Traceback|the words of an error|/path/of/ours|RuntimeError|\.py\b|(?i:server:|x-powered-by|python/|werkzeug|flask"
    r"|uvicorn|debugger|sqlalchemy)"
)

_REST = b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
RAW = (
    b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"NONSENSE\r\n\r\n", b"CONNECT a:1" + _REST,
    b"TRACE /" + _REST, b"POST /healthz" + _REST, b"GET /nowhere" + _REST, b"GET /%00" + _REST,
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"y" * 40_000,
)  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_whatever_is_refused_on_the_wire_names_nothing_of_ours(app: Flask) -> None:
    with fronted(app) as port:
        for raw in RAW:
            with socket.create_connection(("127.0.0.1", port), timeout=15) as client:
                client.sendall(raw)
                said = b"".join(iter(lambda c=client: c.recv(65_536), b"")).decode("latin-1")  # type: ignore[misc]
            assert re.match(r"HTTP/1.1 (4\d\d|501) ", said), (raw, said)
            assert not LEAKS.search(said), said


def test_a_secure_address_is_kept_secure_for_a_year(settings: Settings) -> None:
    secure = create_app(Settings(keys_file=settings.keys_file, public_url="https://comments.example.org"))
    for path in ("/healthz", "/nowhere", "/desk/", "/v1/sites"):
        said = secure.test_client().get(path).headers["Strict-Transport-Security"]
        assert int(said.removeprefix("max-age=")) >= 365 * 24 * 3600


def test_a_new_install_has_no_accounts(place: Path) -> None:
    for command in ("moderators", "sites"):
        done = run(command, "list", "--json", cwd=place, env=environment())
        assert (done.returncode, done.stdout.strip()) == (0, "[]")


def test_passwords_cost_what_is_advised_today() -> None:
    """At least 19 MiB and two passes (OWASP's password storage cheat sheet) of argon2id."""
    kept = CryptContext(schemes=["argon2"]).hash("correct horse battery staple")
    found = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$", kept)
    assert found and int(found[1]) >= 19 * 1024 and int(found[2]) >= 2


DANGEROUS = {
    "S102": "exec(text)", "S307": "eval(text)", "S301": "import pickle\npickle.loads(text)",
    "S302": "import marshal\nmarshal.loads(text)", "S506": "import yaml\nyaml.load(text)",
    "S602": "import subprocess\nsubprocess.run(text, shell=True)", "S605": "import os\nos.system(text)",
    "S324": "import hashlib\nhashlib.md5(text)", "S311": "import random\nrandom.choice(text)",
    "S314": "import xml.etree.ElementTree as tree\ntree.fromstring(text)",
    "S608": 'f"SELECT * FROM a WHERE b = {text}"',
}  # fmt: skip


def test_what_a_scanner_of_sources_would_report_is_refused() -> None:
    for code, text in DANGEROUS.items():
        assert code in codes("service/comments/operations.py", text), code


def test_whoever_passes_over_such_a_finding_says_why() -> None:
    for path in (ROOT / "service").rglob("*.py"):
        for line in path.read_text().splitlines():
            assert not re.search(r"noqa: S\d", line) or re.search(r"noqa: S\d+ - \w+", line), f"{path.name}: {line}"
