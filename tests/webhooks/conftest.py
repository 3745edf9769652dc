"""An owner of a site, a receiver of what happens there, and a worker that is run by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from service.db import db, now
from service.sites.models import Site
from service.webhooks import worker
from service.webhooks.turns import queries as turns
from tests.moderation.conftest import Desk, token_of

from .receiver import Receiver, receiving

HERE = {"webhook_http": True, "webhook_allow_cidrs": ["127.0.0.0/8"], "webhook_timeout": 2.0}
"""Settings with which webhooks may go to this machine."""


@pytest.fixture
def receiver(app: Flask) -> Iterator[Receiver]:
    """Somebody who listens, and an app that may send there."""
    usual = app.extensions["greenroom_settings"]
    app.extensions["greenroom_settings"] = replace(usual, **HERE)
    with receiving() as one:
        yield one
    app.extensions["greenroom_settings"] = usual


class Owner(Desk):
    """The API as the owner of the site calls it."""

    def listens(self, url: str, **more: Any) -> dict[str, Any]:
        """A new endpoint, with its secret."""
        answer = self.call("POST", "/webhooks/endpoints", json={"site": "blog", "url": url} | more)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json
        return found

    def does(self, what: str, to: dict[str, Any], **more: Any) -> Any:
        return self.call("POST", f"/webhooks/endpoints/{to['id']}/{what}", **more)

    def endpoint(self, one: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/webhooks/endpoints/{one['id']}").json
        return found

    def deliveries(self, to: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/webhooks/endpoints/{to['id']}/deliveries", **query).json["deliveries"]
        return found


@pytest.fixture
def owner(app: Flask, site: Site) -> Owner:
    return Owner(app, token_of("olga", site.id, "owner"))


def send_due() -> int:
    """What workers do: release, and try whatever is due once. How many were tried."""
    db.session.rollback()  # a look that a test has taken would still show what was then
    worker.release()
    tried: list[UUID] = []
    while due := [one for one in _due() if one not in tried]:
        for one in due:
            worker.deliver(one.hex)
        tried += due
    return len(tried)


def _due() -> list[UUID]:
    found = turns.due_deliveries(now())
    db.session.rollback()
    return found
