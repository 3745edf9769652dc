"""What makes comments alike: the host of the first link, and the words."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.comments.likeness import likeness
from service.comments.models import Comment
from service.comments.rendering import render
from service.comments.upkeep import render_anew
from service.db import db, transaction
from service.sites.models import Site
from tests.support import post

WAVE = "Dear {}, {} dollars in one week, working from home with this wonderful programme: https://spam.example/{}"


def host(body: str) -> str | None:
    return likeness(render(body))[0]


def mark(body: str) -> str | None:
    return likeness(render(body))[1]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("See https://spam.example/a?b=1", "spam.example"),
        ("See https://www.Spam.example:8443/", "spam.example"),
        ("[Here](http://first.example/) and https://second.example/", "first.example"),
        ("[Here](https://аррӏе.com/)", "xn--80ak6aa92e.com"),
        ("[Here](https://[2001:db8::1]/x)", "[2001:db8::1]"),
        ("Write to <mailto:a@spam.example>, then https://b.example/", "b.example"),
        ("No link, but spam.example and `https://c.example/`", None),
        ("[Odd](https://-/x)", None),
        ("", None),
    ],
)
def test_the_host_of_the_first_link(body: str, expected: str | None) -> None:
    assert host(body) == expected


def test_a_wave_has_one_mark() -> None:
    first = mark(WAVE.format("Ada", "4,000", "x?1"))
    others = [
        WAVE.format("Bob", "7,950", "zz/top"),
        WAVE.format("Eve", "12", "").upper(),
        "With this wonderful **programme**: working from HOME! In one week 99 dollars, dear Zoë. http://other.example/",
        # A Cyrillic о, and a nought.
        WAVE.format("Ada", "1", "")
        .replace("wonderful", "w\N{CYRILLIC SMALL LETTER O}nderful")
        .replace("dollars", "d0llars"),
    ]
    assert first and {mark(one) for one in others} == {first}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I liked the ending.", "I liked the beginning."),
        ("Comment number 1.", "Comment number 2."),
        ("Yes.", "No."),
        (WAVE.format("a", "1", ""), WAVE.format("a", "1", "").replace("wonderful", "terrible")),
    ],
)
def test_other_words_have_another_mark(one: str, other: str) -> None:
    assert mark(one) != mark(other)


def test_what_has_no_words_has_no_mark() -> None:
    assert likeness(render("https://spam.example/only")) == ("spam.example", None)
    assert mark("🙂 !!!") is None


def test_a_long_text_is_marked_by_its_beginning() -> None:
    assert mark("word " * 600 + "different") == mark("word " * 600)


def test_a_comment_keeps_what_it_has_in_common(app: Flask, client: FlaskClient, site: Site) -> None:
    post(client, body=WAVE.format("Ada", "9", "x"))
    one = db.session.query(Comment).one()
    assert (one.alike_host, one.alike_text) == ("spam.example", mark(WAVE.format("Bea", "8", "y")))


def test_old_rows_get_it_when_they_are_rendered_anew(app: Flask, client: FlaskClient, site: Site) -> None:
    post(client, body=WAVE.format("Ada", "9", "x"))
    with transaction():
        one = db.session.query(Comment).one()
        one.alike_host, one.alike_text, one.render_version = None, None, 2
    with transaction():
        assert render_anew(10) == 1
    db.session.expire_all()
    one = db.session.query(Comment).one()
    assert (one.alike_host, one.alike_text) == ("spam.example", mark(WAVE.format("Bea", "8", "y")))
