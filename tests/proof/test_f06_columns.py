"""Nobody writes a column by naming it: JSON doors refuse every name that is not theirs, form doors do not hear it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import marshmallow as ma
import pytest
from flask import Flask, request
from sqlalchemy import delete

from service.comments.models import Comment
from service.comments.routes import accept
from service.db import db, transaction
from service.doors import StrictParser
from service.filters.models import SavedFilter
from service.rules.models import Rule
from service.sites import operations as sites
from tests.support import FULL

from .columns import STEPS, WHOLE, Browsing, Effect, Shape, columns, send_json, shapes
from .doors import DOORS, Door
from .fields import FORMS
from .ledger import Proof
from .world import World, changed, snapshot

ONE_BY_ONE, A_FEW = (1, 6) if FULL else (1_000, 1_000)
"""How many names at once. At quick size all of them, and the refusal must name each."""


def groups(names: Sequence[str], own: frozenset[str] | set[str], size: int) -> Iterator[list[str]]:
    foreign = [name for name in names if name not in own]
    for start in range(0, len(foreign), size):
        yield foreign[start : start + size]


def taken_by(world: World, shape: Shape) -> Iterator[tuple[int, list[str]]]:
    """Each column that a JSON door does not refuse by its name, and each refusal that changes something."""
    values = columns(world)
    before = snapshot()
    for names in groups(list(values), shape.own, ONE_BY_ONE):
        answer = send_json(world, shape, {name: values[name] for name in names})
        errors = answer.json.get("errors", {}) if answer.status_code == 422 else {}
        refused = {name.rpartition(".")[2] for name, found in errors.items() if found[0]["code"] == "unknown"}
        wrong = [f"{shape.door.name}: {answer.status_code} for {name}" for name in names if name not in refused]
        if found := changed(before):
            wrong.append(f"{shape.door.name} with {', '.join(names[:6])}: changed {', '.join(found)}")
            before = snapshot()
        yield len(names), wrong


def heard_by(world: World, door: Door) -> Iterator[tuple[int, list[str]]]:
    """Each column of which a form door takes something: compared with the same form without it."""
    values, browsing = columns(world), Browsing(world)
    plain = Effect(partial(browsing.send, door, {}))
    assert plain.status in (200, 303) and (plain.rows or door.name in STEPS)
    for names in groups(list(values), FORMS[door.name], A_FEW):
        forget(world)
        effect = Effect(partial(browsing.send, door, {name: values[name] for name in names}))
        told = f"{door.name} with {', '.join(names[:6])}"
        wrong = [f"{told}: {effect.status}"] * (effect.status != plain.status)
        wrong += [f"{told}: stored {line}" for line in effect.traces(world)]
        wrong += [f"{told}: {effect.flags} is not {plain.flags}"] * (effect.flags != plain.flags)
        yield len(names), wrong


def forget(world: World) -> None:
    """Filters and rules that were made by the way: nobody may have more than a few, nor two about one person."""
    with transaction():
        for model, name in ((SavedFilter, "filter"), (Rule, "rule")):
            kept = [UUID(place.ids[name]) for place in (world.a, world.b)]
            db.session.execute(delete(model).where(model.id.not_in(kept)))


def test_every_door_that_changes_something_is_covered(app: Flask) -> None:
    assert {*shapes(app), *FORMS} == {door.name for door in DOORS if door.changes}
    assert not set(shapes(app)) & set(FORMS)
    assert sum(map(len, shapes(app).values())) >= 11, "objects within objects are not found"


@pytest.mark.figure("6", quick=1_200, full=1_200)
def test_json_refuses_the_name_of_every_column(world: World, proof: Proof) -> None:
    for of_door in shapes(world.app).values():
        for shape in of_door:
            for number, wrong in taken_by(world, shape):
                proof.cases(number, wrong)


@pytest.mark.figure("6", quick=300, full=600)
def test_forms_take_nothing_by_the_name_of_a_column(world: World, proof: Proof) -> None:
    doors = [door for door in DOORS if door.name in FORMS]
    for door in doors[world.turn :: 2] if not FULL else doors:
        for number, wrong in heard_by(world, door):
            proof.cases(number, wrong)


@pytest.mark.control("6")
def test_a_shape_that_lets_everything_in_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation that writes whatever it is given, behind a parser that lets every name through."""

    def obeying(page: Any, *, actor: str, comment_count: int = 0, **more: Any) -> None:
        page.comment_count = comment_count

    monkeypatch.setattr("tests.proof.test_f06_columns.columns", lambda world: {"comment_count": WHOLE})
    monkeypatch.setitem(StrictParser.DEFAULT_UNKNOWN_BY_LOCATION, "json", ma.INCLUDE)
    monkeypatch.setattr(sites, "change_page", obeying)
    (shape,) = shapes(world.app)["PATCH /v1/pages/<uuid:page_id>"]
    found = [line for _, wrong in taken_by(world, shape) for line in wrong]
    assert f"{shape.door.name}: 200 for comment_count" in found
    assert any(line.endswith("changed pages") for line in found)


@pytest.mark.control("6")
def test_a_form_that_is_obeyed_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag and a number, written because the form names them."""

    def obeying(*args: Any) -> Any:
        done = accept(*args)
        with transaction():
            comment = db.session.get_one(Comment, UUID(done.body["id"]))
            comment.is_moderator, comment.risk = "is_moderator" in request.form, WHOLE
        return done

    monkeypatch.setattr("service.embed.routes.accept", obeying)
    (door,) = (door for door in DOORS if door.rule == "/embed/<site>/comments")
    found = [line for _, wrong in heard_by(world, door) for line in wrong]
    assert any(": stored comments" in line for line in found)
    assert any("'is_moderator': True" in line.partition(" is not ")[0] for line in found)
