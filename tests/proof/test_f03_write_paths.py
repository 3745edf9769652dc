"""Every door and command that stores words is one over which figure 1 sends hostile markup; a new one fails here.

What figure 1 writes is watched, not claimed: its own functions run with marked payloads, and each field of each door
that brought the mark is noted. Every other field and door must have a reason why nobody is shown its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask

from service.accounts.models import Moderator
from service.db import db
from tests.transfer.exports import comment, export, item, saved

from . import write_inventory as inventory
from .echoes import echoes
from .ledger import Proof
from .other_words import aliases, answers, changes, decisions, hooks, kept, reports, rulings, settings, titles
from .staff_words import names
from .stage import TALK, Stage
from .twins import WORDS
from .write_inventory import MARK, NO_WORDS_IN_COLUMNS, NO_WORDS_OF_COMMANDS
from .write_paths import by_api_edit, by_desk_edit, by_form, by_json, planted

pytestmark = pytest.mark.one_database

HOSTILE = f"{MARK}</textarea><img src=x onerror=alert(1)>"


@pytest.fixture
def stage(app: Flask) -> Stage:
    return Stage(app)


def written(stage: Stage, folder: Path) -> list[str]:
    """Send the mark over every write path of figure 1; what was wrong with what came back."""
    one, packs = HOSTILE, [[f"{HOSTILE} {n}"] for n in range(3)]
    units = [(f"{MARK} {n}", [f"{one} {n}"], one) for n in range(8)]
    stage.preview(one)
    faults = list(stage.faults(by_json(stage, units)))
    faults += stage.faults(by_form(stage, units))
    stage.wipe()
    ids = planted(stage, 3, folder)
    faults += stage.faults(by_api_edit(stage, ids, packs))
    faults += stage.faults(by_desk_edit(stage, ids, packs))
    stage.wipe()
    found = [titles(stage, packs, packs), aliases(stage, packs), echoes(stage, packs[:1], folder)]
    stage.wipe()
    found.append(settings(stage, packs, packs))
    stage.wipe()
    found.append(decisions(stage, packs, packs, folder))
    stage.wipe()
    found.append(answers(stage, packs, folder))
    stage.wipe()
    found.append(kept(stage, packs, folder))
    stage.wipe()
    found.append(reports(stage, packs, folder))
    stage.wipe()
    found.append(rulings(stage, packs))
    stage.wipe()
    found.append(hooks(stage, packs * 2))
    stage.wipe()
    found.append(changes(stage, packs * 2))
    stage.wipe()
    found.append(names(stage, packs * 2))
    return faults + [what for _, wrong in found for what in wrong]


def unwritten(
    doors: Mapping[str, set[str]], seen: set[tuple[str, str]], without: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """The doors and fields that take words which figure 1 does not send, and that have no reason for it.

    `without`: the reasons, of each field of each door by itself; one that is about no field is wrong as well.
    """
    for door, fields in doors.items():
        reasons = without.get(door, {})
        if not fields and "-" not in reasons:
            yield f"{door} is no write path, and has no reason"
        for field in sorted(fields - reasons.keys()):
            if (door, field) not in seen:
                yield f"{door}: {field} is not written to"
        for field in sorted(reasons.keys() - (fields or {"-"})):
            yield f"{door}: {field} is no field, and has a reason"
    yield from (f"{door} is no door, and has a reason" for door in without.keys() - doors.keys())


@pytest.mark.figure("3", quick=40, full=40)
def test_every_field_of_every_door_is_written_to(stage: Stage, proof: Proof, tmp_path: Path) -> None:
    with inventory.watched(stage.app) as seen:
        assert written(stage, tmp_path) == []
    doors = inventory.doors(stage.app)
    proof.cases(sum(len(fields) or 1 for fields in doors.values()), unwritten(doors, seen, inventory.no_words()))


COMMANDS = {
    ("sites add", "name"): ["sites", "add", "new", "--name", HOSTILE, "--origin", "https://new.example.org"],
    ("sites set", "assignments"): ["sites", "set", "blog", f"name={HOSTILE}", f"privacy_text={HOSTILE}"],
    ("moderators add", "name"): ["moderators", "add", "eve@staff.example.org", "--name", HOSTILE, "--admin"],
    ("moderators set", "name"): ["moderators", "set", "eve@staff.example.org", "--name", HOSTILE],
    ("tokens add", "name"): ["tokens", "add", "eve@staff.example.org", "--name", HOSTILE],
    ("import wordpress", "file"): ["import", "wordpress", "export.xml", "--site", "blog"],
}
"""The commands that store words, each with hostile ones."""


@pytest.mark.figure("3", quick=20, full=20)
def test_every_command_that_stores_words_is_run_with_hostile_ones(
    stage: Stage, proof: Proof, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = comment(author=f"<![CDATA[{HOSTILE}]]>", content=f"<![CDATA[{HOSTILE}]]>")
    saved(tmp_path, export(item(rows, link=f"{stage.origin}{TALK}", title=f"<![CDATA[{HOSTILE}]]>")))
    monkeypatch.chdir(tmp_path)
    for arguments in COMMANDS.values():
        done = stage.app.test_cli_runner().invoke(args=arguments)
        assert done.exit_code == 0, done.output
    db.session.expire_all()
    assert [one.name for one in db.session.query(Moderator).filter_by(email="eve@staff.example.org")] == [HOSTILE]
    said = list(stage.told())
    proof.cases(0, stage.faults({}))
    proof.cases(0, stage.page_faults([f"/embed/blog?page={TALK}", "/desk/?status=all", f"/desk/comments/{said[0]}",
                                      "/embed/new/form?page=x"]))  # fmt: skip
    options = set(inventory.options(stage.app))
    proof.cases(len(options), uncovered(options))


def uncovered(options: set[tuple[str, str]]) -> Iterator[str]:
    """Options that take words and are not tried; those that are tried and are no more."""
    for command, option in sorted(options - COMMANDS.keys()):
        if option not in NO_WORDS_OF_COMMANDS:
            yield f"{command}: {option} is not tried with hostile words"
    yield from (f"{' '.join(one)} is no option" for one in COMMANDS.keys() - options)


@pytest.mark.figure("3", quick=60, full=60)
def test_every_setting_and_column_of_words_is_known(proof: Proof) -> None:
    settings, columns = inventory.settings(), set(inventory.columns())
    proof.cases(
        len(settings), (f"setting {one}" for one in settings - inventory.SETTINGS - {*inventory.NO_WORDS_IN_SETTINGS})
    )
    known = {(table, column) for table, names in WORDS.items() for column in names}
    other = {(table, column) for table, names in NO_WORDS_IN_COLUMNS.items() for column in names.split()}
    explained = known | other | inventory.NOT_SHOWN
    proof.cases(len(columns), (f"column {table}.{column}" for table, column in columns - explained))
    proof.cases(0, (f"{table}.{column} is no column" for table, column in explained - columns))


@pytest.mark.control("3")
def test_a_new_door_a_new_field_and_a_new_option_are_seen() -> None:
    comments = "POST /v1/sites/<site>/comments"
    doors = {"POST /x": set[str](), "PATCH /x": {"body"}, comments: {"name", "bio", "kind"}, "POST /y": {"at", "why"}}
    reasons = {"POST /y": {"at": "is a time", "until": "is a time"}, "PUT /y": {"-": "takes nothing"}}
    assert list(unwritten(doors, {(comments, "name")}, reasons)) == [
        "POST /x is no write path, and has no reason",
        "PATCH /x: body is not written to",
        f"{comments}: bio is not written to",
        f"{comments}: kind is not written to",
        "POST /y: why is not written to",
        "POST /y: until is no field, and has a reason",
        "PUT /y is no door, and has a reason",
    ]
    assert list(uncovered({*COMMANDS, ("moderators rename", "name")})) == [
        "moderators rename: name is not tried with hostile words"
    ]
