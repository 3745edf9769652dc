"""Hostile arguments to every command: a sentence and an exit code, never a traceback, and rows change only on 0."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result
from flask import Flask

from service.cli import listen, operate
from service.sites.schemas import SiteSettings
from tests.support import FULL

from .hostile import big_list, texts
from .judging import counted
from .ledger import Proof
from .world import World

RIGHT = {
    "sites add": ["new", "--origin", "https://new.example.org", "--name", "New"],
    "sites set": ["blog", "mode=pre"],
    "sites tag": ["blog", "--page", "/a", "--pinned"],
    "moderators add": ["new@staff.example.org", "--name", "New", "--site", "blog"],
    "moderators set": ["viewer@blog.example.org", "--name", "New", "--site", "blog", "--role", "owner", "--reopen"],
    "moderators passwd": ["viewer@blog.example.org"],
    "moderators reset-factors": ["viewer@blog.example.org"],
    "tokens add": ["viewer@blog.example.org", "--name", "new", "--scope", "read", "--site", "blog", "--days", "9"],
    "tokens list": ["viewer@blog.example.org"],
    "tokens revoke": ["018f0000-0000-7000-8000-000000000000"],
    "import wordpress": ["export.xml", "--site", "blog", "--map", "https://a.example=/b"],
    "listen": ["--host", "127.0.0.1", "--port", "1", "--status", "204"],
    "import undo": ["018f0000-0000-7000-8000-000000000000"],
    "import list": ["--site", "blog"],
    "audit verify": ["--head", "install:1:00"],
    "serve": ["--host", "127.0.0.1", "--port", "1", "--no-worker"],
    "demo": ["--port", "1"],
}
"""The words of each command that takes any; each of them is replaced by hostile ones in turn."""

NO_WORDS_OF_ITS_OWN = {"openapi"}
"""What flask-smorest adds."""

OWN = ["-1", "0", "99999999999", "9" * 400, "--", "-", "--help=x", "a=b=c", "=", "mode=", "rating_max=nan"]


def commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for inner, one in command.commands.items():
            yield from commands(one, f"{name} {inner}".strip())
    else:
        yield name, command


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs a command in this process and an empty directory; one that would serve says so instead."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(operate, "_serve", lambda *_: None)
    monkeypatch.setattr(operate, "start_worker", lambda *_: None)
    monkeypatch.setattr(listen, "_serve", lambda server: None)
    kept = dict(world.app.extensions), dict(world.app.config)

    def invoke(*words: str) -> Result:
        try:
            return world.app.test_cli_runner().invoke(world.app.cli, list(words), input="")
        finally:
            world.app.extensions.update(kept[0])
            world.app.config.update(kept[1])

    return invoke


def faults(done: Result, before: tuple[int, ...]) -> Iterator[str]:
    """What is wrong with how a command ended."""
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        yield f"{type(done.exception).__name__}: {done.exception!s:.100}"
    elif done.exit_code and not any(word in done.stderr for word in ("Error: ", "Usage: ")):
        yield f"exit code {done.exit_code} without a sentence: {done.output[:100]!r}"
    if "Traceback" in done.output:
        yield "a traceback"
    if done.exit_code and counted() != before:
        yield f"exit code {done.exit_code}, and rows changed"


@pytest.mark.figure("5", quick=40, full=3_000)
def test_hostile_arguments_get_a_sentence(run: Any, proof: Proof, shared: Path) -> None:
    pick = random.Random(20)
    every = [text for text in [*texts(shared), *big_list(shared)] if _can_be_typed(text)]
    tried = [(name, at) for name, words in RIGHT.items() for at in range(len(words)) if not words[at].startswith("--")]
    for name, at in tried:
        for text in [*OWN, *pick.sample(every, 150)] if FULL else pick.sample(OWN, 1) + pick.sample(every, 1):
            before = counted()
            done = run(*name.split(), *RIGHT[name][:at], text, *RIGHT[name][at + 1 :])
            proof.case(*(f"{name} {text!r:.60}: {what}" for what in faults(done, before)))


def _can_be_typed(text: str) -> bool:
    """Words of a command end at NUL; bytes that are no UTF-8 do not get as far as the command (tests/cli)."""
    return not any("\ud800" <= one <= "\udfff" or one == "\0" for one in text)


def test_every_command_that_takes_words_is_tried(app: Flask) -> None:
    taking = {
        name
        for name, one in commands(app.cli)
        if name.split()[0] not in NO_WORDS_OF_ITS_OWN
        and any(not (getattr(word, "is_flag", False) or getattr(word, "hidden", False)) for word in one.params)
    }
    assert taking == set(RIGHT)


@pytest.mark.control("5")
def test_a_command_that_crashes_and_one_that_writes_and_fails_are_seen(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = counted()
    monkeypatch.setattr(SiteSettings, "check_key", lambda key: 1 / 0)
    assert any("ZeroDivisionError" in one for one in faults(run("sites", "add", *RIGHT["sites add"]), before))
    monkeypatch.undo()
    done = run("sites", "add", *RIGHT["sites add"])
    assert list(faults(done, before)) == []
    done.exit_code = 1
    assert {one.partition(": ")[0] for one in faults(done, before)} == {
        "exit code 1 without a sentence", "exit code 1, and rows changed",
    }  # fmt: skip
