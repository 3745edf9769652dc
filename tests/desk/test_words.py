"""Times and hosts in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from service.comments.likeness import likeness
from service.comments.rendering import hosts_of, render
from service.desk import deeds, languages, words
from service.desk.links import link_hosts, links_as_text

NOON = datetime(2026, 5, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=47), "1 day ago"),
        (timedelta(days=29, hours=23), "29 days ago"),
        (timedelta(days=30), "1 May 2026"),
    ],
)
def test_an_age_in_words(passed: timedelta, said: str) -> None:
    app = Flask(__name__)
    languages.init_app(app)
    with app.app_context(), time_machine.travel(NOON, tick=False):
        assert words.age(NOON - passed) == said


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.org/path", "example.org"),
        ("https://bank.example@evil.example/", "evil.example"),
        ("https://аррӏе.com", "xn--80ak6aa92e.com"),
        ("https://sp%61m.example/", "spam.example"),
        ("https://fa\N{LATIN SMALL LETTER SHARP S}.example", "xn--fa-hia.example"),
        ("https://SPAM.example.", "spam.example"),
        ("http://[::1]:8080/", "[::1]"),
        ("https://good.example%2f.evil.example/", ""),
        ("http://[::1", ""),
        ("https://" + "x" * 300 + ".org", ""),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_the_host_of_a_website(url: str, host: str) -> None:
    assert words.host(url) == host


@pytest.mark.parametrize("url", ["https://sp%61m.example/", "https://fa\N{LATIN SMALL LETTER SHARP S}.example/x"])
def test_every_part_names_the_same_host(url: str) -> None:
    """The desk beside a link, rules about its host, and what makes a wave."""
    said = render(f"[x]({url})")
    (host,) = hosts_of(said)
    assert (link_hosts(said), likeness(said)[0]) == ([host], host) and f"({host})" in links_as_text(said)


def test_links_are_told_by_where_they_lead_each_host_once() -> None:
    said = '<p><a href="https://b.example/1">bank.example</a> <a href="https://b.example/2">x</a>'
    assert link_hosts(said + '<a href="mailto:x@a.example">mail</a></p>') == ["b.example", "mailto:x@a.example"]


@pytest.mark.parametrize(
    ("actor", "said"),
    [("author:1", "the author"), ("command", "a command"), ("import:1", "an import"), ("system", "Greenroom")],
)
def test_who_did_it_when_it_was_no_moderator(actor: str, said: str) -> None:
    assert words.actor(actor) == said


def test_an_action_without_words_says_its_name() -> None:
    assert deeds.deed("comment.sung") == "comment.sung"
