"""The manual leaves nothing out: every setting, problem, event, command and door is in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields

import click
import pytest
from flask import Flask

from service import errors
from service.config import Settings, variable
from service.errors import Problem
from service.front import door as front
from service.webhooks.outbox import EVENT_TYPES
from tests.contracts.source import ROOT

PARTS_OF_PAGES = {"desk.files.static", "docs.asset", "docs.script", "embed.asset"}
"""Style sheets, scripts and pictures: a page names them, nobody else calls them."""
BELOW_THE_DESK = {"desk.nowhere", "desk.comment", "desk.edit", "desk.decide", "desk.reveal", "security.logout"}
"""What the desk's pages lead to; programs call the API."""


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def manual() -> str:
    return "\n".join(one.read_text(encoding="utf-8") for one in sorted((ROOT / "docs").glob("*.md")))


def missing(names: Iterable[str], text: str) -> list[str]:
    """Which names are not in the text as whole words of code."""
    return [name for name in names if not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text)]


def slugs(kind: type[Problem] = Problem) -> Iterator[str]:
    """Every problem's name: of the classes, of what Flask raises, of what the front door says by itself."""
    yield kind.slug
    for one in kind.__subclasses__():
        yield from slugs(one)


def commands(group: click.Group, before: str = "greenroom") -> Iterator[tuple[str, click.Command]]:
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from commands(one, f"{before} {name}")
        else:
            yield f"{before} {name}", one


def doors(app: Flask) -> list[str]:
    """The rules that a manual should name, as it would write them: any word stands for a variable."""
    unnamed = PARTS_OF_PAGES | BELOW_THE_DESK
    return sorted({one.rule for one in app.url_map.iter_rules() if one.endpoint not in unnamed})


def absent_doors(rules: Iterable[str], text: str) -> list[str]:
    """Which rules the text names nowhere, as `/v1/sites/{site}/thread` or `$BASE/v1/sites/$SITE/thread?…`."""
    return [rule for rule in rules if not re.search(_written(rule), text)]


def _written(rule: str) -> str:
    fixed = [re.escape(part) for part in re.split(r"<[^>]+>", rule.rstrip("/") or "/")]
    return r"(?<![\w/])(?:\$BASE)?" + r"[^\s/?`\"]+".join(fixed) + r"/?(?=[\s?`\"'),;|]|\.?$)"


def test_every_setting_is_explained() -> None:
    names = [variable(one) for one in fields(Settings)]
    assert len(names) > 25
    assert missing(names, page("settings.md")) == []


def test_every_problem_is_explained() -> None:
    assert issubclass(front.TooSlow, Problem)
    names = {*slugs(), *errors._SLUGS.values()}
    assert len(names) > 15
    assert missing(sorted(names), page("problems.md")) == []


def test_every_event_is_explained() -> None:
    assert missing(EVENT_TYPES, page("events.md")) == []


def test_every_command_is_explained(bare: Flask) -> None:
    names = [name for name, _ in commands(bare.cli)]
    assert len(names) > 15
    assert missing(names, page("commands.md")) == []


def test_every_option_is_explained(bare: Flask) -> None:
    """One of its names is enough: `--no-worker` explains `--worker`."""
    text = manual()
    absent = {
        f"{name} {options[0]}"
        for name, command in commands(bare.cli)
        if not name.startswith("greenroom openapi")  # flask-smorest's own; its --help says what there is
        for options in (_long(one) for one in command.params)
        if options and len(missing(options, text)) == len(options)
    }
    assert absent == set()


def _long(parameter: click.Parameter) -> list[str]:
    return [one for one in [*parameter.opts, *parameter.secondary_opts] if one.startswith("--")]


def test_every_door_is_explained(bare: Flask) -> None:
    rules = doors(bare)
    assert len(rules) > 25
    assert absent_doors(rules, manual()) == []


@pytest.mark.parametrize("name", ["GREENROOM_COLOUR", "comment.sung", "greenroom moderators applaud", "too-loud"])
def test_what_is_not_there_is_missed(name: str) -> None:
    text = "".join(page(one) for one in ("settings.md", "events.md", "commands.md", "problems.md"))
    assert missing([name], text) == [name]


def test_a_longer_name_does_not_explain_a_shorter_one() -> None:
    assert missing(["GREENROOM_LIMIT_SIGNIN"], "`GREENROOM_LIMIT_SIGNIN_ADDRESS`") == ["GREENROOM_LIMIT_SIGNIN"]


@pytest.mark.parametrize(
    ("rule", "text", "named"),
    [
        ("/v1/sites/<site>/thread", 'curl "$BASE/v1/sites/$SITE/thread?page=/"', True),
        ("/v1/sites/<site>/thread", "`GET /v1/sites/{site}/thread`", True),
        ("/v1/sites", "`GET /v1/sites/{site}/thread`", False),
        ("/v1/sites/<site>/thread", "`GET /v1/sites/{site}/threads`", False),
        ("/v1/pages/<uuid:page_id>", "`PATCH /v1/pages/{id}/aliases`", False),
        ("/", "Open `/` in a browser.", True),
        ("/", "Open `/desk` in a browser.", False),
        ("/desk/", "The desk is at `/desk`.", True),
    ],
)
def test_a_door_is_known_by_its_whole_path(rule: str, text: str, named: bool) -> None:
    assert (absent_doors([rule], text) == []) is named
