"""Figure 11 at the doors: hostile URLs registered, put in the place of good ones, and found in a row by a worker."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.db import db, transaction
from service.sites.models import Site
from service.webhooks import outbox, policy, queries
from service.webhooks.policy import BLOCKED, LONGEST_URL
from tests.outbound.conftest import Decoys
from tests.outbound.conftest import decoys as decoys
from tests.outbound.conftest import names as names
from tests.support import FULL
from tests.webhooks.conftest import Owner, send_due
from tests.webhooks.conftest import owner as owner

from .ledger import Proof
from .test_f11_outbound import hostile
from .test_f11_outbound import treacherous as treacherous

GOOD = "https://receiver.example.org/hook"


@pytest.fixture
def told(shared: Path) -> list[str]:
    """URLs that stand in a row: at the quick size some of them."""
    found = [one for one in hostile(shared) if len(one) <= LONGEST_URL]
    return found if FULL else random.Random(11).sample(found, 60)


@pytest.fixture(params=[False, True], ids=["https", "http too"])
def strictness(app: Flask, request: pytest.FixtureRequest) -> Iterator[None]:
    """The scheme alone saves nobody: an install may let http through."""
    usual = app.extensions["greenroom_settings"]
    app.extensions["greenroom_settings"] = replace(usual, webhook_http=request.param, webhook_timeout=1.0)
    yield
    app.extensions["greenroom_settings"] = usual


@pytest.mark.figure("11", quick=100, full=1_200)
def test_no_hostile_url_is_registered_or_put_in_the_place_of_a_good_one(
    owner: Owner, strictness: None, told: list[str], proof: Proof
) -> None:
    """One that leads inside by its name alone is found out by the worker, below."""
    there = owner.listens(GOOD)
    for url in told:
        for how, where, more in (("POST", "", {"site": "blog"}), ("PATCH", f"/{there['id']}", {})):
            answer = owner.call(how, f"/webhooks/endpoints{where}", json={"url": url} | more)
            if answer.status_code == 201 and answer.json:
                owner.call("DELETE", f"/webhooks/endpoints/{answer.json['id']}")
            proof.case(
                *([] if answer.status_code == 422 or _is_a_name(url) else [f"{how} {url!r}: {answer.status_code}"])
            )


def _is_a_name(url: str) -> bool:
    """A name of the public's form, whose addresses only a look-up tells."""
    host = url.partition("//")[2].partition("/")[0].partition(":")[0]
    return host.count(".") >= 1 and host.rpartition(".")[2].isalpha()


@pytest.mark.figure("11", quick=60, full=1_200)
def test_no_hostile_url_in_the_table_is_connected_to(
    client: FlaskClient, site: Site, owner: Owner, strictness: None, told: list[str], treacherous: None,
    decoys: Decoys, proof: Proof, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Each stands there as if it had come past the door; its delivery is blocked, and nobody came to the decoys."""
    monkeypatch.setattr(policy, "SCHEDULE", policy.SCHEDULE[:1])
    there = owner.listens(GOOD)
    for url in told:
        with transaction():
            one = queries.locked_endpoint(UUID(there["id"]))
            assert one
            one.url, one.disabled_at, one.failing_since = url, None, None
            outbox.announce("ping", site.id, one.id, {}, outbox.Manner(only=one.id))
        send_due()
        (last, *_) = queries.deliveries(UUID(there["id"]), None, None, 1)
        db.session.rollback()
        proof.case(*([] if last.state == BLOCKED else [f"{url!r}: {last.state}"]))
    proof.case(*([f"{count} at the decoys"] if (count := decoys.visits()) else []))


@pytest.mark.control("11")
def test_a_url_that_is_let_through_is_seen(
    site: Site, owner: Owner, treacherous: None, decoys: Decoys, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = app.extensions["greenroom_settings"]
    app.extensions["greenroom_settings"] = replace(
        usual, webhook_http=True, webhook_allow_cidrs=["127.0.0.0/8"], webhook_timeout=1.0
    )
    there = owner.listens(f"http://127.0.0.1:{decoys.port}/")
    owner.does("test", there)
    send_due()
    app.extensions["greenroom_settings"] = usual
    assert decoys.visits() > 0
