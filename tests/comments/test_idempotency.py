"""Idempotency-Key: done once, answered alike."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from service.comments.models import Comment
from service.db import db
from service.idempotency.models import IdempotencyKey
from service.sites.models import Site
from service.webhooks.models import Event
from tests.conftest import add_site
from tests.proof.ledger import Proof
from tests.support import FULL, post, submission


def count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_the_same_key_and_body_are_one_comment(client: FlaskClient, site: Site) -> None:
    first = post(client, headers={"Idempotency-Key": "k1"})
    again = post(client, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json["id"]) == (202, first.json["id"])
    assert count(Comment) == 1


def test_the_token_is_told_once_and_a_replay_says_so(client: FlaskClient, site: Site) -> None:
    first = post(client, headers={"Idempotency-Key": "k1"})
    again = post(client, headers={"Idempotency-Key": "k1"})
    assert first.json["author_token"] and again.json["author_token"] is None
    assert again.headers["Idempotency-Replayed"] == "true"


def test_another_body_under_the_key_is_refused(client: FlaskClient, site: Site) -> None:
    post(client, headers={"Idempotency-Key": "k1"})
    answer = post(client, body="Other", headers={"Idempotency-Key": "k1"})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["Idempotency-Key"])
    assert count(Comment) == 1


def test_a_refusal_is_not_kept(client: FlaskClient, site: Site) -> None:
    assert (
        post(client, parent_id="0190f0f0-0000-7000-8000-000000000000", headers={"Idempotency-Key": "k1"}).status_code
        == 422
    )
    assert post(client, headers={"Idempotency-Key": "k1"}).status_code == 202


def test_another_site_has_keys_of_its_own(client: FlaskClient, site: Site) -> None:
    add_site("other", ["https://other.example.org"])
    post(client, headers={"Idempotency-Key": "k1"})
    assert post(client, site="other", body="Other", headers={"Idempotency-Key": "k1"}).status_code == 202


def test_a_proven_author_has_keys_of_their_own_on_any_network(client: FlaskClient, site: Site) -> None:
    def said(token: str, body: str, ip: str) -> TestResponse:
        headers = {"Idempotency-Key": "k1", "Authorization": f"Author {token}"}
        here = {"REMOTE_ADDR": ip}
        return client.post("/v1/sites/blog/comments", json=submission(body=body), headers=headers, environ_base=here)

    ada, bea = (post(client, body=f"{name} was here").json["author_token"] for name in ("Ada", "Bea"))
    first = said(ada, "First", "203.0.113.7")
    assert said(bea, "Second", "203.0.113.7").status_code == 202
    assert said(ada, "First", "198.51.100.1").json["id"] == first.json["id"]


def test_the_kept_answer_is_sealed(client: FlaskClient, site: Site) -> None:
    told = post(client, headers={"Idempotency-Key": "k1"}).json
    db.session.rollback()
    row = db.session.scalars(select(IdempotencyKey)).one()
    assert told["id"].encode() not in row.answer


@pytest.mark.parametrize("key", ["", "x" * 256, "käse", "a\tb"])
def test_odd_keys_are_refused(client: FlaskClient, site: Site, key: str) -> None:
    answer = post(client, headers={"Idempotency-Key": key.encode().decode("latin-1")})
    assert answer.status_code == 422
    assert count(Comment) == 0


def race(app: Flask, keys: int, twins: int) -> dict[str, set[str]]:
    """Send every key from `twins` threads at once; the ids that each key was answered with."""
    answers: dict[str, set[str]] = {}
    lock = threading.Lock()

    def send(key: str, barrier: threading.Barrier) -> None:
        barrier.wait()
        answer = post(app.test_client(), headers={"Idempotency-Key": key}, body=f"Said under {key}")
        while answer.status_code == 503:  # the twin was still at work
            answer = post(app.test_client(), headers={"Idempotency-Key": key}, body=f"Said under {key}")
        with lock:
            answers.setdefault(key, set()).add(f"{answer.status_code}:{(answer.json or {}).get('id')}")

    with ThreadPoolExecutor(twins) as pool:
        for n in range(keys):
            barrier = threading.Barrier(twins)
            list(pool.map(send, [f"key-{n}"] * twins, [barrier] * twins))
    return answers


@pytest.mark.figure("17", quick=20, full=500)
def test_a_key_sent_8_times_at_once_is_one_comment(app: Flask, site: Site, proof: Proof) -> None:
    """Exactly one row, one event and one id for each key."""
    keys = 500 if FULL else 20
    answers = race(app, keys=keys, twins=8)
    for key, found in answers.items():
        proof.case(*([] if len(found) == 1 and next(iter(found)).startswith("202:") else [f"{key}: {found}"]))
    assert count(Comment) == keys
    db.session.rollback()
    created = select(func.count()).select_from(Event).where(Event.type == "comment.created")
    assert db.session.scalar(created) == keys


@pytest.mark.control("17")
def test_the_race_finds_a_key_that_is_not_kept(app: Flask, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without the claim, twins are two comments or a refusal."""
    monkeypatch.setattr("service.comments.routes.once", lambda asked, act: act())
    answers = race(app, keys=5, twins=8)
    assert any(len(found) > 1 for found in answers.values())


def test_a_submission_without_a_key_is_simply_done(client: FlaskClient, site: Site) -> None:
    assert client.post("/v1/sites/blog/comments", json=submission()).status_code == 202
    assert count(IdempotencyKey) == 0
