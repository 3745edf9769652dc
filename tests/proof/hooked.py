"""A webhook with words of somebody's: a note of an owner, and what its receiver answered."""

from __future__ import annotations

from uuid import UUID

from service.db import db, now, transaction
from service.webhooks import outbox, queries
from service.webhooks.models import Attempt, Endpoint

from .stage import Stage

URL = "https://receiver.example.org/"


def planted_hook(stage: Stage, text: str) -> str:
    """An endpoint that was given up, with a delivery that was, too; its id."""
    told = {"site": "blog", "url": URL, "events": ["ping"], "note": text[:200]}
    made = UUID(stage.ask("POST", "/v1/webhooks/endpoints", told)["id"])
    stage.ask("POST", f"/v1/webhooks/endpoints/{made}/test")
    with transaction():
        outbox.release_due()
    with transaction():
        (one,) = queries.deliveries(made, None, None, 1)
        one.state, one.next_at, one.done_at = "failed", None, now()
        for status, error in ((500, None), (None, "The receiver refused the connection.")):
            db.session.add(
                Attempt(
                    delivery_id=one.id,
                    endpoint_id=made,
                    milliseconds=7,
                    status=status,
                    error=error,
                    excerpt=text[:1_024],
                )  # fmt: skip
            )
        endpoint = db.session.get_one(Endpoint, made)
        endpoint.failing_since = endpoint.disabled_at = now()
        endpoint.disabled_because = "The receiver answered 410: it wants no more."
    return str(made)
