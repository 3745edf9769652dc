"""What it takes to change something with a session: a page of ours, and the token it was given."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.accounts.conftest import HOME, Browser, People, bearer

# No database has a say in this, so one will do.
pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True, scope="session")

GOOD: dict[str, Any] = {"Origin": HOME}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (GOOD, 200),
        ({"Referer": f"{HOME}/desk/queue"}, 200),
        (GOOD | {"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://localhost"}, 403),
        ({}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Referer": "http://[::1/desk/", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://evil.example", "Referer": f"{HOME}/desk"}, 403),
        ({"Origin": f"{HOME}.evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:8080"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Referer": f"https://evil.example/?{HOME}/desk"}, 403),
        (GOOD | {"Sec-Fetch-Site": "cross-site"}, 403),
        (GOOD | {"Sec-Fetch-Site": "same-site"}, 403),
        (GOOD | {"Sec-Fetch-Site": "none"}, 403),
    ],
)
def test_a_session_changes_something_only_from_a_page_of_ours(
    people: People, browser: Browser, headers: dict[str, str], status: int
) -> None:
    site = people.site("here")
    people.moderator(owner=site)
    browser.sign_in()
    answer = browser.post(f"/sites/{site}/moderate", headers=headers | {"X-CSRFToken": browser.token()})
    assert answer.status_code == status, answer.text


def test_a_session_needs_its_own_csrf_token(people: People, app: Flask, browser: Browser) -> None:
    site = people.site("here")
    people.moderator(owner=site)
    people.moderator("bob@example.org", owner=site)
    browser.sign_in()
    other: Any = app.test_client()
    other.sign_in("bob@example.org")
    path = f"/sites/{site}/moderate"
    assert browser.post(path, headers=GOOD).status_code == 403
    assert browser.post(path, headers=GOOD | {"X-CSRFToken": "made up"}).status_code == 403
    assert browser.post(path, headers=GOOD | {"X-CSRFToken": other.token()}).status_code == 403
    assert browser.post(path, headers=GOOD | {"X-CSRFToken": browser.token()}).status_code == 200
    assert browser.post(path, headers=GOOD, data={"csrf_token": browser.token()}).status_code == 200


def test_a_token_needs_neither_origin_nor_csrf_token(people: People, browser: Browser) -> None:
    site = people.site("here")
    token = people.token(people.moderator(owner=site))
    assert browser.post(f"/sites/{site}/moderate", headers=bearer(token)).status_code == 200
