"""A role that goes while a form waits for its turn to write: no door of the desk does any more what it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from service import db as database
from service.accounts import operations as accounts
from service.accounts.models import Moderator
from service.audit.models import AuditEntry
from service.db import db, transaction
from service.filters.models import SavedFilter
from service.moderation.models import Claim
from service.sites.models import Site
from tests.authors.conftest import Author
from tests.desk.conftest import HOME, Browser, fields, the_form
from tests.desk.test_sites import PAGE as SETTINGS_PAGE
from tests.desk.test_sites import send
from tests.support import post

Press = Callable[[], TestResponse]

OF_WEBHOOKS = {"desk.add_webhook", "desk.act_on_webhook"}
"""Proved with their own rooms, which ask under the site's lock."""


HER_OWN = "desk.delete_filter"
"""Anybody may let go of what they kept, also about a site that is theirs no more."""

OTHERWISE = {"desk.take": 303, "desk.decide_many": 409}
"""Where nothing is found that could be taken, or decided on, that is told like any other time."""


class Owner:
    """Olga, her browser, and what she has in front of her."""

    def __init__(self, app: Flask, client: FlaskClient, olga: Browser) -> None:
        self.app, self.client, self.olga = app, client, olga
        self.told: Any = post(client).json
        self.one = UUID(self.told["id"])

    def button(self, path: str, label: str, within: str | None = None, **typed: Any) -> Press:
        page = self.olga.get(path)
        return lambda: self.olga.press(page, label, within, **typed)

    def to(self, path: str, **typed: Any) -> Press:
        token, _ = the_form(self.olga.get("/desk/").text, "Sign out", None)
        return lambda: self.olga.post(path, data=fields(token) | typed, headers={"Origin": HOME})

    def item(self, label: str, **typed: Any) -> Press:
        return self.button("/desk/?status=all", label, f"c-{self.one}", **typed)

    def approved(self) -> str:
        self.item("Approve")()
        return f"/desk/comments/{self.one}"

    def changed(self) -> str:
        here = self.approved()
        assert Author(self.app, self.told["author_token"]).edit(str(self.one), body="Better.").status_code == 200
        return here

    def many(self) -> Press:
        return self.to("/desk/decisions", decision="spam", item=f'{self.one} "v1"')

    def settings(self) -> Press:
        page = self.olga.get(SETTINGS_PAGE)
        return lambda: send(self.olga, page, name="Another name")

    def after(self, press: Press) -> str:
        there: str = press().headers["Location"]
        return there


DOORS: dict[str, Callable[[Owner], Press]] = {
    "desk.decide": lambda one: one.item("Approve"),
    "desk.settle": lambda one: one.button(one.changed(), "Accept"),
    "desk.undo": lambda one: one.button(one.approved(), "Undo"),
    "desk.note": lambda one: one.item("Keep the note", note="Ask Bert."),
    "desk.reply": lambda one: one.item("Approve and reply", body="Thank you."),
    "desk.pin": lambda one: one.button(one.approved(), "Pin to the top of its page"),
    "desk.reveal": lambda one: one.button(f"/desk/comments/{one.one}", "Show the address"),
    "desk.edit": lambda one: one.button(f"/desk/comments/{one.one}", "Save the text", body="Other words."),
    "desk.take": lambda one: one.button("/desk/", "Take 20"),
    "desk.decide_many": lambda one: one.many(),
    "desk.undo_many": lambda one: one.button(one.after(one.many()), "Undo"),
    "desk.look_up": lambda one: one.to("/desk/people/lookup", site="blog", email="ada@mail.example.org"),
    "desk.rule_person": lambda one: one.button(f"/desk/people/{one.one}", "Block"),
    "desk.add_rule": lambda one: one.button("/desk/rules", "Block", kind="domain", value="spam.example"),
    "desk.end_rule": lambda one: one.button(one.after(DOORS["desk.add_rule"](one)), "Remove"),
    "desk.replace_reasons": lambda one: one.button(
        "/desk/reasons", "Keep this list", code=["a"], title=["A"], sentence=["A."]
    ),
    "desk.set_site": lambda one: one.settings(),
    "desk.save_filter": lambda one: one.button("/desk/?q=zebras", "Save", name="Zebras", share="blog"),
    "desk.delete_filter": lambda one: one.button(one.after(DOORS["desk.save_filter"](one)), "×"),
}


@pytest.fixture
def owner(app: Flask, client: FlaskClient, site: Site, signed_in: Callable[..., Browser]) -> Owner:
    return Owner(app, client, signed_in("Olga", "owner"))


def written() -> tuple[int, ...]:
    """How much of what Olga did is to be seen."""
    db.session.rollback()
    olga = db.session.scalars(select(Moderator).where(Moderator.name == "Olga")).one()
    mine = AuditEntry.actor == f"moderator:{olga.id}"
    asked = (select(func.count()).select_from(AuditEntry).where(mine), *(
        select(func.count()).select_from(table) for table in (Claim, SavedFilter)
    ))  # fmt: skip
    return tuple(db.session.scalar(one) or 0 for one in asked)


def lose_the_role_in_the_line(monkeypatch: pytest.MonkeyPatch, site_id: UUID) -> None:
    """The next who writes has waited for somebody who took Olga's role away."""
    turn, done = database._turn, []

    @contextmanager
    def late(patience: float | None) -> Iterator[None]:
        if not done:
            done.append(True)
            with transaction():
                olga = db.session.scalars(select(Moderator).where(Moderator.name == "Olga")).one()
                accounts.withdraw(olga, site_id, actor="test")
        with turn(patience):
            yield

    monkeypatch.setattr(database, "_turn", late)


def test_every_door_of_the_desk_that_writes_is_among_them(app: Flask) -> None:
    rules = [one for one in app.url_map.iter_rules() if "POST" in (one.methods or ())]
    assert {one.endpoint for one in rules if one.endpoint.startswith("desk.")} == set(DOORS) | OF_WEBHOOKS


@pytest.mark.parametrize("door", DOORS)
def test_a_role_that_is_there_opens_it(owner: Owner, door: str) -> None:
    press = DOORS[door](owner)
    before = written()
    assert press().status_code < 400
    assert written() != before


@pytest.mark.parametrize("door", [door for door in DOORS if door != HER_OWN])
def test_a_role_that_goes_while_it_waits_counts_at_once(
    owner: Owner, site: Site, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    press, site_id = DOORS[door](owner), site.id
    before = written()
    lose_the_role_in_the_line(monkeypatch, site_id)
    assert press().status_code == OTHERWISE.get(door, 404)
    assert written() == before
