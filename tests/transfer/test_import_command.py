"""`greenroom import`: what people and machines are told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.exc import OperationalError

from service.sites.models import Site
from service.transfer.cleaning import NOTES
from tests.contracts.source import ROOT, sources

from .conftest import stored
from .exports import comment, export, item, saved

THREAD = "http://127.0.0.1:8080/embed/blog?page=https%3A%2F%2Fblog.example.org%2Fa%2F"
Command = Callable[..., Result]


@pytest.fixture
def command(app: Flask, site: Site) -> Command:
    def run(*words: Any) -> Result:
        return app.test_cli_runner().invoke(args=["import", *map(str, words)])

    return run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    odd = comment(id="2", type="pingback"), comment(id="3", parent="404", approved="0")
    return saved(tmp_path, export(item(comment(), *odd, link="http://old.example.net/a/")))


def test_people_are_told_in_sentences(command: Command, path: Path) -> None:
    told = command("wordpress", path, "--site", "blog")
    batch = str(stored()["1"].import_id)
    assert told.exit_code == 0, told.output
    assert told.output.splitlines() == [
        "Read 3 comments in 1 thread.",
        "  1 page of http://old.example.net, now on this site.",
        f"  1 × {NOTES['parent_missing']} (3)",
        "Skipped 1.",
        "  1 × ping: It is a pingback, not somebody's words. (2)",
        "Imported 1 approved, 1 pending.",
        f"To take it back: greenroom import undo {batch}",
        f"Its largest thread, while Greenroom serves: {THREAD}",
    ]


def test_the_largest_thread_is_where_it_is_said_to_be(app: Flask, command: Command, tmp_path: Path) -> None:
    """Another page has more comments, fewer of which are published; this one has no address, only a number."""
    rest = [comment(id=str(number), approved="spam") for number in range(3, 6)]
    pages = item(comment(id="1"), comment(id="2"), link=""), item(comment(id="6"), *rest, post_id="8")
    told = command("wordpress", saved(tmp_path, export(*pages)), "--site", "blog", "--json")
    address = json.loads(told.output)["largest_thread"]
    assert address == "http://127.0.0.1:8080/embed/blog?page=wp%3A7"
    shown = app.test_client().get(address)
    assert (shown.status_code, shown.text.count("<article")) == (200, 2)


def test_of_what_nobody_sees_no_thread_is_told(command: Command, tmp_path: Path) -> None:
    told = command("wordpress", saved(tmp_path, export(item(comment(approved="0")))), "--site", "blog", "--json")
    assert json.loads(told.output)["largest_thread"] is None


def test_a_dry_run_says_that_it_is_one(command: Command, path: Path) -> None:
    told = command("wordpress", path, "--site", "blog", "--dry-run")
    assert told.output.splitlines()[-1] == "Would import 1 approved, 1 pending."
    assert stored() == {}


def test_a_second_run_says_that_all_is_here(command: Command, path: Path) -> None:
    command("wordpress", path, "--site", "blog")
    told = command("wordpress", path, "--site", "blog").output
    assert "  2 × already_imported: They are here already." in told
    assert told.splitlines()[-1] == "Imported nothing."


def test_machines_are_told_in_json(command: Command, path: Path) -> None:
    told = json.loads(command("wordpress", path, "--site", "blog", "--json").output)
    assert told["read"]["comments"] == 3
    assert told["imported"] == {"approved": 1, "pending": 1}
    assert told["skipped"]["rows"] == [
        {"source_id": "2", "reason": "ping", "detail": "It is a pingback, not somebody's words."}
    ]


def test_options_reach_the_import(command: Command, path: Path) -> None:
    told = command("wordpress", path, "--site", "blog", "--pings", "--map", "https://old.example.net=/archive")
    assert told.exit_code == 0, told.output
    assert stored()["2"].page.url == "https://blog.example.org/archive/a/"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--site", "nowhere"], "There is no site nowhere."),
        (["--site", "blog", "--map", "nonsense"], "Write OLD=NEW"),
        (["--site", "blog", "--map", "https://a.example=https://b.example/"], "not one of this site's origins"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_with_a_sentence(
    command: Command, path: Path, options: list[str], says: str
) -> None:
    told = command("wordpress", path, *options)
    assert told.exit_code in (2, 65)
    assert says in told.output
    assert "Traceback" not in told.output


def test_a_damaged_export_is_refused_with_the_line(command: Command, tmp_path: Path) -> None:
    told = command("wordpress", saved(tmp_path, export(item("<wp:comment>"))), "--site", "blog")
    assert told.exit_code == 65
    assert "Line 4: " in told.output and "Nothing was imported." in told.output


def test_stopping_says_how_to_go_on(command: Command, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pull_the_plug(*args: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("service.transfer.importer._write", pull_the_plug)
    told = command("wordpress", path, "--site", "blog")
    assert told.exit_code == 130
    assert "the same command goes on" in told.output


def test_a_database_that_goes_away_says_how_to_go_on(
    command: Command, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go_away(*args: Any, **more: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("gone"))

    monkeypatch.setattr("service.transfer.importer._write", go_away)
    told = command("wordpress", path, "--site", "blog")
    assert told.exit_code == 69
    assert "the same command goes on" in told.output


def test_an_export_gives_no_orders_to_the_terminal(command: Command, tmp_path: Path) -> None:
    odd = item(comment(id="1\x9b2J", type="\x9b31m\u202e"), comment(id="2\x9b", parent="404"))
    told = command("wordpress", saved(tmp_path, export(odd)), "--site", "blog").output
    assert "“31m”" in told and "(12J)" in told and "(2)" in told
    assert not {"\x9b", "\u202e"} & set(told)


def test_imports_are_listed_and_taken_back(command: Command, path: Path) -> None:
    assert command("list").output == "Nothing has been imported yet.\n"
    command("wordpress", path, "--site", "blog")
    [listed] = json.loads(command("list", "--site", "blog", "--json").output)
    assert (listed["state"], listed["comments"], listed["format"]) == ("finished", 2, "wordpress")
    told = command("undo", listed["import"])
    assert told.output == "Removed 2 comments and 1 page.\n"
    assert "0 comments, undone" in command("list").output


def test_an_undo_without_such_an_import_is_refused(command: Command) -> None:
    told = command("undo", "01900000-0000-7000-8000-000000000000")
    assert told.exit_code == 65
    assert "greenroom import list" in told.output


def test_the_manual_explains_every_note_and_reason() -> None:
    manual = (ROOT / "docs" / "importing.md").read_text()
    reasons = {
        code
        for one in sources("service/transfer")
        for code in re.findall(r'(?:Skipped\(row\.source_id, |^        \()"(\w+)",', one.text, re.MULTILINE)
    }
    assert len(reasons) > 7
    assert [code for code in [*NOTES, *sorted(reasons)] if f"`{code}`" not in manual] == []
