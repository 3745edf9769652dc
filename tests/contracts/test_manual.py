"""What the manual's own tests do not ask: every option of every command, and every page, is told too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import click
import pytest
from flask import Flask

from service.accounts.models import SCOPES
from tests.contracts.source import ROOT

PARTS_OF_PAGES = {"desk.files.static", "docs.asset", "docs.script", "embed.asset"}
"""Style sheets, scripts and pictures: a page names them, nobody else calls them."""
BELOW_THE_DESK = {
    "desk.nowhere",
    "desk.comment",
    "desk.edit",
    "desk.decide",
    "desk.reveal",
    "desk.settle",
    "desk.set_site",
    "desk.site_settings",
    "desk.undo",
    "desk.note",
    "desk.reply",
    "desk.take",
    "desk.decide_many",
    "desk.many",
    "desk.undo_many",
    "desk.filters",
    "desk.save_filter",
    "desk.delete_filter",
    "desk.replace_reasons",
    "desk.news",
    "desk.pin",
    "desk.look_up",
    "desk.person",
    "desk.rule_person",
    "desk.rules_of_site",
    "desk.add_rule",
    "desk.end_rule",
    "desk.webhook",
    "desk.add_webhook",
    "desk.act_on_webhook",
    "account.act",
    "account.passkey",
    "team.act",
    "doorstep.accept",
    "doorstep.second_step",
    "doorstep.enter_code",
    "doorstep.passkey",
    "doorstep.enter_by_passkey",
    "security.logout",
}
"""What the desk's pages lead to; programs call the API."""


def manual() -> str:
    return "\n".join(one.read_text(encoding="utf-8") for one in sorted((ROOT / "docs").glob("*.md")))


def commands(group: click.Group, before: str = "greenroom") -> Iterator[tuple[str, click.Command]]:
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from commands(one, f"{before} {name}")
        else:
            yield f"{before} {name}", one


def options(group: click.Group) -> Iterator[tuple[str, list[str]]]:
    """Every option that has a long name, with all of them: `--worker` and `--no-worker` are one."""
    for name, command in commands(group):
        for parameter in command.params:
            if getattr(parameter, "hidden", False):
                continue  # what one process of ours says to another
            long = [one for one in [*parameter.opts, *parameter.secondary_opts] if one.startswith("--")]
            if long:
                yield name, long


def told(option: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text) is not None


def absent_doors(rules: Iterable[str], text: str) -> list[str]:
    """Which rules the text names nowhere, as `/v1/sites/{site}/thread` or `$BASE/v1/sites/$SITE/thread?…`."""
    return [rule for rule in rules if not re.search(_written(rule), text)]


def _written(rule: str) -> str:
    fixed = [re.escape(part) for part in re.split(r"<[^>]+>", rule.rstrip("/") or "/")]
    return r"(?<![\w/])(?:\$BASE)?" + r"[^\s/?`\"]+".join(fixed) + r"/?(?=[\s?`\"'),;|]|\.?$)"


def test_every_option_is_explained(bare: Flask) -> None:
    text = manual()
    ours = [(name, long) for name, long in options(bare.cli) if not name.startswith("greenroom openapi")]
    assert len(ours) > 20
    assert [f"{name} {long[0]}" for name, long in ours if not any(told(one, text) for one in long)] == []


def test_a_scope_that_no_door_asks_for_is_said_to_be_one(bare: Flask) -> None:
    asked = {getattr(view, "guarded_scope", None) for view in bare.view_functions.values()}
    assert {"read", "moderate"} <= asked
    unasked = [scope for scope in SCOPES if scope not in asked]
    assert re.findall(r"No door of this version asks for `(\w+)`", manual()) == unasked


def test_every_door_and_page_is_explained(bare: Flask) -> None:
    unnamed = PARTS_OF_PAGES | BELOW_THE_DESK
    assert unnamed <= {one.endpoint for one in bare.url_map.iter_rules()}
    rules = {one.rule for one in bare.url_map.iter_rules() if one.endpoint not in unnamed}
    assert len(rules) > 25
    assert absent_doors(sorted(rules), manual()) == []


@pytest.mark.parametrize(
    ("text", "known"), [("`--site KEY`", True), ("`--sites`", False), ("`--off-site`", False), ("site", False)]
)
def test_an_option_is_known_by_its_whole_name(text: str, known: bool) -> None:
    assert told("--site", text) is known


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
