"""What the form's door makes of where a form comes from, how fast, and what only robots fill in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.comments.models import Comment
from service.db import db
from service.sites.models import Site
from tests.conftest import ORIGIN, add_site
from tests.embed.browser import TYPED, fill_in, landing, parse, send, the_one, values, visit
from tests.support import PAGE


def reasons() -> set[str]:
    return {one.code for one in the_one().reasons}


def test_a_filled_honeypot_gets_the_answer_of_anybody_and_is_spam(client: FlaskClient, open_site: Site) -> None:
    answer = fill_in(client, topic="casino")

    assert landing(answer)["query"]["posted"] == ["held"]
    assert the_one().status == "spam"


def test_a_form_without_its_time_token_is_held(client: FlaskClient, open_site: Site) -> None:
    answer = send(client, TYPED | {"page": PAGE})

    assert landing(answer)["query"]["posted"] == ["held"]
    assert "no-form-token" in reasons()


def test_a_form_of_another_site_has_no_valid_token(client: FlaskClient, open_site: Site) -> None:
    add_site("other", ["https://other.example.org"])
    token = values(parse(visit(client, "/embed/other/form", page="/x").text))["form_token"]

    landing(send(client, TYPED | {"page": PAGE, "form_token": token}))

    assert "no-form-token" in reasons()


def test_a_form_sent_faster_than_people_type_is_held(client: FlaskClient, app: Flask, open_site: Site) -> None:
    patient = app.extensions["greenroom_settings"]
    app.extensions["greenroom_settings"] = replace(patient, form_min_seconds=3.0)
    try:
        fill_in(client)
    finally:
        app.extensions["greenroom_settings"] = patient

    assert "too-fast" in reasons()


def test_a_form_from_nowhere_is_held(client: FlaskClient, open_site: Site) -> None:
    form = values(parse(visit(client, "/embed/blog/form", page=PAGE).text))

    landing(send(client, form | TYPED, headers={"Origin": "null"}))

    assert "null-origin" in reasons()


@pytest.mark.parametrize("origin", [ORIGIN, "http://127.0.0.1:8080", None])
def test_a_form_on_the_site_or_on_our_own_page_is_taken(client: FlaskClient, open_site: Site, origin: str) -> None:
    form = values(parse(visit(client, "/embed/blog/form", page=PAGE).text))

    answer = send(client, form | TYPED, headers={"Origin": origin} if origin else None)

    assert landing(answer)["query"]["posted"] == ["approved"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://blog.example.org.evil.example", "http://blog.example.org"]
)
def test_a_form_on_a_foreign_page_is_refused(client: FlaskClient, open_site: Site, origin: str) -> None:
    answer = send(client, TYPED | {"page": PAGE}, headers={"Origin": origin})

    assert answer.status_code == 403
    assert db.session.query(Comment).count() == 0
