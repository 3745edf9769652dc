"""A site that gets unusually many comments: told once, and again only after it was as usual."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service.db import db, now, transaction
from service.numbers.operations import watch_floods
from service.sites.models import Site
from service.webhooks.models import Event
from tests.support import post


def say(client: FlaskClient, number: int, first: int = 0) -> None:
    for n in range(first, first + number):
        post(client, body=f"Number {n}.", email=f"n{n}@mail.example.org", page=f"/p/{n % 7}")


def look() -> int:
    with transaction():
        return watch_floods()


def told() -> list[dict[str, object]]:
    rows = select(Event.data).where(Event.type == "flood.started").order_by(Event.id)
    return [data["flood"] for data in db.session.scalars(rows)]


def test_sixty_in_ten_minutes_are_a_flood_and_told_once(client: FlaskClient, site: Site) -> None:
    say(client, 59)
    assert look() == 0
    say(client, 2, 59)
    assert (look(), look()) == (1, 0)
    assert told() == [{"site": "blog", "comments": 61, "minutes": 10}]


def test_it_is_told_again_after_it_was_as_usual(client: FlaskClient, site: Site) -> None:
    say(client, 60)
    look()
    with time_machine.travel(now() + timedelta(days=8), tick=True):
        assert look() == 0
        say(client, 60, 60)
        assert look() == 1


def test_where_so_many_are_usual_it_is_none(client: FlaskClient, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.numbers.queries.arrived_at", lambda *_: 1_008 * 13)
    say(client, 60)
    assert look() == 0
    assert db.session.scalar(select(func.count()).select_from(Event).where(Event.type == "flood.started")) == 0
