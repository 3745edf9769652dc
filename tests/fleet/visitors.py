"""Clients of the proofs that write by way of Caddy."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from http.client import HTTPException, HTTPSConnection

from flask import Flask

from service.db import db
from service.errors import MEDIA_TYPE
from tests.fleet.stack import Fleet
from tests.proof.faults import verdict
from tests.proof.journal import PATIENCE, Answered, Asked, Clients, Journal, Line, Rotation, writing

RATE = 100.0
"""Requests a second that the clients make at most."""


class Visitor(Line):
    """One client's connection to Caddy, which alone chooses who answers."""

    def __init__(self, ours: Fleet) -> None:
        super().__init__(Rotation())
        self._caddy = HTTPSConnection("localhost", ours.ports["caddy"], timeout=PATIENCE, context=ours.trusted())

    def send(self, asked: Asked) -> Answered:
        headers = {"Content-Type": "application/json", "Idempotency-Key": asked.key} | asked.headers
        self._connect()
        try:
            self._caddy.request("POST", asked.path, json.dumps(asked.body), headers)
            with self._caddy.getresponse() as response:
                text, told = response.read(), dict(response.headers)
        except BaseException:
            self._caddy.close()
            raise
        if response.status in (502, 503, 504) and told.get("Content-Type") != MEDIA_TYPE:
            raise HTTPException(f"Caddy got no answer: {response.status}")  # nor does it know what was done
        return Answered(response.status, told, json.loads(text))

    def _connect(self) -> None:
        """Whoever nobody listens to has said nothing yet, and may try again."""
        end = time.monotonic() + PATIENCE
        while not self._caddy.sock:
            try:
                self._caddy.connect()
            except OSError:
                self._caddy.close()
                if time.monotonic() > end:
                    raise
                self._tick.wait(0.05)

    def close(self) -> None:
        self._caddy.close()


class Visitors(Clients):
    def __init__(self, ours: Fleet, journal: Journal, *, rate: float, number: int) -> None:
        self._ours = ours
        super().__init__(journal, Rotation(), rate=rate, number=number)

    def line(self) -> Line:
        return Visitor(self._ours)


class Written:
    """A fleet to which nobody but the clients of one journal writes."""

    def __init__(self, ours: Fleet, token: str) -> None:
        self.ours, self.journal = ours, Journal(token)

    @contextmanager
    def written(self, *, rate: float = RATE, number: int = 12) -> Iterator[Clients]:
        """Clients that write while the block lasts."""
        with writing(Visitors(self.ours, self.journal, rate=rate, number=number)) as clients:
            yield clients

    @cached_property
    def app(self) -> Flask:
        return self.ours.app()

    def verdict(self, clients: Clients) -> list[str]:
        try:
            return verdict(self.app, clients)
        finally:
            with self.app.app_context():
                db.engine.dispose()
