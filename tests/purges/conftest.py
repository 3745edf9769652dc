"""A hook of a cache in front, and an app that has one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from service.db import db, now
from service.purges import worker
from service.purges.queries import any_due
from tests.moderation.conftest import desk as desk
from tests.moderation.conftest import held as held
from tests.webhooks.receiver import Receiver, receiving

TOKEN = "of-the-cache-1234"
SECONDS = 120


@pytest.fixture
def hook(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Somebody who is told, and no waiting before it."""
    monkeypatch.setattr(worker, "SETTLED", 0)
    app.extensions["greenroom_prompts"].engine().flush()  # what other tests have prompted would be done first
    usual, keys = app.extensions["greenroom_settings"], app.extensions["greenroom_keys"]
    with receiving() as one:
        told = {"purge_url": one.url, "shared_max_age": SECONDS, "webhook_timeout": 2.0}
        app.extensions["greenroom_settings"] = replace(usual, **told)
        app.extensions["greenroom_keys"] = replace(keys, purge_token=TOKEN)
        yield one
    app.extensions["greenroom_settings"], app.extensions["greenroom_keys"] = usual, keys


def told(hook: Receiver) -> list[set[str]]:
    """The keys of each request that the hook got."""
    return [set(json.loads(one.body)["surrogate_keys"]) for one in hook.got]


def is_due() -> bool:
    found = any_due(now())
    db.session.rollback()
    return found
