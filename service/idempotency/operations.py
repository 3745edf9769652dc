"""Do a thing once per key. The key's row commits with the thing itself, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from service.db import now
from service.errors import Invalid, Unavailable
from service.idempotency import queries
from service.privacy.seal import keyed, seal
from service.privacy.unseal import unseal

KEPT = timedelta(hours=24)
_LONGEST = 255


@dataclass(frozen=True)
class Asked:
    """A request as the key sees it: by whom, at which door, under which key, with what body."""

    by: str
    door: str
    key: str | None
    body: Any


@dataclass(frozen=True)
class Answer:
    """What was answered. `secrets` names fields that are told only the first time."""

    status: int
    body: dict[str, Any]
    secrets: tuple[str, ...] = field(default=())
    replayed: bool = False


def once(asked: Asked, act: Callable[[], Answer]) -> Answer:
    """Run `act`, or give the answer of the first time. Call inside the transaction that `act` needs.

    Invalid (422) when the key came with another body before. Without a key, `act` simply runs. What `act` raises
    rolls the key back too, so only successes are kept.
    """
    if asked.key is None:
        return act()
    if not 0 < len(asked.key) <= _LONGEST or not asked.key.isprintable() or not asked.key.isascii():
        raise Invalid.field("Idempotency-Key", "key", "Use 1 to 255 printable ASCII characters.")
    scope = keyed("idempotency", asked.by.encode(), asked.door.encode(), asked.key.encode())
    body = keyed("idempotency-body", json.dumps(asked.body, sort_keys=True).encode())
    if not queries.claim(scope, body):
        return _replay(scope, body)
    answer = act()
    told = {name: None if name in answer.secrets else value for name, value in answer.body.items()}
    queries.keep(scope, answer.status, seal(json.dumps(told, default=str)))
    return answer


def _replay(scope: bytes, body: bytes) -> Answer:
    row = queries.found(scope)
    if row is None:  # the twin rolled back while we waited for it
        raise Unavailable("The same request is being worked on. Please try again in a moment.")
    if row.body != body:
        told = "This key was used with another body. Take a new key for a new request."
        raise Invalid.field("Idempotency-Key", "used", told)
    return Answer(row.status, json.loads(unseal(row.answer)), replayed=True)


def purge() -> int:
    """Forget keys after a day; how many."""
    return queries.forget_before(now() - KEPT)


def forget_all() -> int:
    """Forget every key: the sealing key of the kept answers is about to go."""
    return queries.forget_before(now())
