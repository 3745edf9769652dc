"""A delivery from its event to its end: in a chat, by way of a connection that broke, to one that wants no more."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.db import db
from service.privacy.unseal import unseal
from service.sites.models import Site
from service.webhooks.models import Endpoint
from tests.outbound.receivers import Receiver as Hostile
from tests.outbound.receivers import answering, head, resetting
from tests.processes import free_port
from tests.support import post

from .conftest import Owner, send_due
from .receiver import Receiver
from .test_delivery import happen, later
from .test_endpoints import URL


def links(told: Any) -> list[str]:
    """Where a message for a chat leads to."""
    if isinstance(told, dict):
        return [*([told["url"]] if "url" in told else []), *(one for value in told.values() for one in links(value))]
    if isinstance(told, list):
        return [one for value in told for one in links(value)]
    return [part.split('"')[0] for part in told.split('href="')[1:]] if isinstance(told, str) else []


@pytest.mark.parametrize("service", ["slack", "discord", "telegram"])
def test_a_chat_is_told_with_a_link_to_the_desk(
    app: Flask, client: FlaskClient, owner: Owner, receiver: Receiver, service: str
) -> None:
    one = owner.listens(receiver.url, format=service, include_email=True)
    held = post(client, body="What a fine series.").json["id"]
    assert send_due() == 2
    thread, comment = (json.loads(got.body) for got in receiver.got)
    desk = f"{app.extensions['greenroom_settings'].public_url}/desk/"
    assert (set(links(thread)), set(links(comment))) == ({desk}, {f"{desk}comments/{held}"})
    assert "fine series" in str(comment) and "ada@" not in receiver.got[1].body.decode()
    assert {sent["state"] for sent in owner.deliveries(one)} == {"delivered"}


def test_a_connection_that_is_reset_and_then_a_410_are_told_as_they_were(
    site: Site, owner: Owner, receiver: Receiver
) -> None:
    with Hostile(resetting, port=free_port()) as hostile:
        one = owner.listens(f"http://{hostile.host}:{hostile.port}/hook")
        happen(site)
        assert send_due() == 1
        assert owner.deliveries(one)[0]["state"] == "pending" and owner.endpoint(one)["failing_since"]
        hostile.behave = answering(head(410, "Content-Length: 4") + b"Gone")
        with later(seconds=10):
            assert send_due() == 1
    (sent,) = owner.deliveries(one)
    assert [(tried["status"], tried["error"], tried["excerpt"]) for tried in sent["attempts"]] == [
        (None, "The receiver broke off the connection while waiting for the answer.", ""),
        (410, None, "Gone"),
    ]
    found = owner.endpoint(one)
    assert (sent["state"], found["enabled"]) == ("failed", False) and "410" in found["disabled_because"]
    assert len(hostile.requests) == 2 and all(sent["event"].encode() in got for got in hostile.requests)


def test_the_secret_stands_in_no_column(owner: Owner) -> None:
    made = owner.listens(URL)
    secrets = [made["secret"], owner.does("rotate", made).json["secret"]]
    row = db.session.query(Endpoint).one()
    assert row.old_secret_sealed and [unseal(row.old_secret_sealed), unseal(row.secret_sealed)] == secrets
    for column in Endpoint.__table__.columns:
        stored = getattr(row, column.key)
        told = stored if isinstance(stored, bytes) else str(stored).encode()
        for secret in secrets:
            word = secret.removeprefix("whsec_")
            assert word.encode() not in told and base64.b64decode(word) not in told, column.key


def test_that_addresses_were_asked_for_later_is_written_down(owner: Owner) -> None:
    made = owner.listens(URL)
    assert owner.call("PATCH", f"/webhooks/endpoints/{made['id']}", json={"include_email": True}).json["include_email"]
    (entry,) = [
        one for one in owner.get("/audit", subject=made["id"]).json["entries"] if one["action"] == "webhook.changed"
    ]
    assert entry["details"]["include_email"] is True and entry["details"]["changed"] == ["include_email"]
    assert entry["actor"] and entry["details"]["host"] == "receiver.example.org"
