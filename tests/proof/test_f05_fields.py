"""The names of fields under which hostile texts are sent are those that pages ask for, and they get as far as that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, request

from .doors import DOORS
from .fields import FORMS, OTHER_FORMS, PAGES, asked, unlisted
from .hostile import Bad, spots
from .judging import Judge, written_mark
from .ledger import Proof
from .world import World

_NO_GOOD_REQUEST = {
    "POST /desk/sign-in": 422, "POST /desk/sign-in/code": 422, "POST /desk/sign-in/passkey": 422,
    "GET /desk/<path:elsewhere>": 404, "GET /desk/decisions/<uuid:decision_id>": 404,
    "GET /v1/moderation/decisions/<uuid:decision_id>": 404, "DELETE /v1/tokens/<uuid:token_id>": 404,
}  # fmt: skip
"""What is answered to a request with nothing odd about it: there is no right one, or it is not about the admin's."""


@pytest.fixture
def judge(world: World) -> Iterator[Judge]:
    with written_mark() as written:
        yield Judge(world, written)


def test_every_form_is_listed_once() -> None:
    names = {door.name for door in DOORS}
    assert FORMS.keys() == {door.name for door in DOORS if door.form is not None}
    assert PAGES.keys() <= names and OTHER_FORMS.keys() <= FORMS.keys()
    for name, forms in OTHER_FORMS.items():
        assert {field for form in forms for field in form} <= FORMS[name], name


@pytest.mark.figure("5", quick=140, full=140)
def test_what_pages_ask_for_is_listed(judge: Judge, proof: Proof) -> None:
    """And every door answers its right request: one that refuses whoever asks would hear nothing of a hostile text."""
    with asked(judge.world.app) as heard:
        for door in DOORS:
            for form in (door.form, *OTHER_FORMS.get(door.name, ())):
                wrong = judge.try_(Bad(door.name, replace(door, form=form)))
                status = judge.last.status_code
                if form is door.form and status != _NO_GOOD_REQUEST.get(door.name, status if status < 400 else 0):
                    wrong.append(f"{door.name}: {status} to its right request")
                if status in (401, 403):
                    wrong.append(f"{door.name}: {status} to {form}")
                proof.case(*wrong)
    proof.cases(0, unlisted(heard))
    assert {door for door, _ in heard} >= FORMS.keys() | PAGES.keys(), "some pages ask for nothing"


@pytest.mark.control("5")
def test_a_name_that_is_not_listed_is_seen(judge: Judge, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a form and in an address; and a form whose fields are not among the places for hostile texts."""

    def view(**_: Any) -> str:
        return request.form.get("motto", "") + request.args.get("colour", "")

    monkeypatch.setitem(app.view_functions, "desk.replace_reasons", view)
    (door,) = (one for one in DOORS if one.name == "POST /desk/reasons")
    with asked(app) as heard:
        judge.try_(Bad(door.name, door))
    assert list(unlisted(heard)) == [
        f"{door.name} asks for colour, which is not listed",
        f"{door.name} asks for motto, which is not listed",
    ]


@pytest.mark.control("5")
def test_a_form_without_its_fields_is_seen(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = {name: names for name, names in FORMS.items() if name != "POST /desk/filters"}
    monkeypatch.setattr("tests.proof.hostile.FORMS", fewer)
    document: Any = judge.world.app.test_client().get("/openapi.json").json
    with pytest.raises(KeyError, match="POST /desk/filters"):
        list(spots(document))
