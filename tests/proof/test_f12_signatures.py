"""Signatures by the libraries of others: whatever we sign is right there, and nothing that was changed since."""

from __future__ import annotations

import base64
import json
import random
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from service.db import new_id, now
from service.webhooks import signing
from service.webhooks.catalogue import TYPES
from tests.widget.elsewhere import installed

from .ledger import Proof
from .payloads import payloads

MANY = 1_000
_VERIFY = Path(__file__).parents[1] / "webhooks" / "verify.cjs"


@dataclass(frozen=True)
class Message:
    """What arrives, and a secret of the receiver."""

    headers: Mapping[str, str]
    body: bytes
    secret: str


Read = Callable[[Sequence[Message]], list[Any]]
"""What a library makes of messages: each as its document, or None where it refuses."""
Change = Callable[[random.Random, Message], Message]


def messages(shared: Path) -> list[Message]:
    """Signed in the last and the next four minutes, every second one with two secrets; with hostile words in them."""
    chance, words = random.Random(12), payloads(shared, few=300)
    return [message(chance, words) for _ in range(MANY)]


def message(chance: random.Random, words: Sequence[str]) -> Message:
    text = "".join(chance.choices(words, k=chance.randrange(9)))[:4_000]
    told = {"type": chance.choice(TYPES), "data": {"text": text, "rating": 7.5}}
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    secrets = [signing.new_secret() for _ in range(chance.choice((1, 2)))]
    return signed(body, secrets, chance.randint(-240, 240), chance.choice(secrets))


def signed(body: bytes, secrets: Sequence[str], seconds: float, known: str) -> Message:
    at = now() + timedelta(seconds=seconds)
    return Message(signing.headers(secrets, str(new_id()), int(at.timestamp()), body), body, known)


def put(name: str, change: Callable[[random.Random, str], str]) -> Change:
    """Another value of a header."""
    return lambda chance, one: replace(one, headers={**one.headers, name: change(chance, one.headers[name])})


def without(name: str) -> Change:
    return lambda _, one: replace(one, headers={other: value for other, value in one.headers.items() if other != name})


def one_bit(chance: random.Random, raw: bytes) -> bytes:
    at, bit = chance.randrange(len(raw)), 1 << chance.randrange(8)
    return raw[:at] + bytes([raw[at] ^ bit]) + raw[at + 1 :]


def one_bit_of_each(chance: random.Random, header: str) -> str:
    digests = [base64.b64decode(one.removeprefix("v1,")) for one in header.split(" ")]
    return " ".join(f"v1,{base64.b64encode(one_bit(chance, one)).decode()}" for one in digests)


def a_little_off(chance: random.Random, seconds: str) -> str:
    return str(int(seconds) + chance.choice((-1, 1)) * chance.randint(1, 50))


def resigned(chance: random.Random, one: Message, *, seconds: int = 0, key: str | None = None) -> Message:
    """Signed as it should be, but at another time, or with a key that the receiver does not have."""
    return signed(one.body, [key or one.secret], seconds, one.secret)


CHANGES: dict[str, Change] = {
    "a bit of the body": lambda chance, one: replace(one, body=one_bit(chance, one.body)),
    "the end of the body": lambda chance, one: replace(one, body=one.body[: -chance.randint(1, 20)]),
    "a line's end after the body": lambda _, one: replace(one, body=one.body + b"\n"),
    "a body of nothing": lambda _, one: replace(one, body=b"{}"),
    "another id": put("webhook-id", lambda *_: str(new_id())),
    "another time": put("webhook-timestamp", a_little_off),
    "a bit of each signature": put("webhook-signature", one_bit_of_each),
    "a version that nobody knows": put("webhook-signature", lambda _, value: value.replace("v1,", "v2,")),
    "no id": without("webhook-id"),
    "no time": without("webhook-timestamp"),
    "no signature": without("webhook-signature"),
    "six minutes late": lambda chance, one: resigned(chance, one, seconds=-360 - chance.randrange(10_000)),
    "six minutes early": lambda chance, one: resigned(chance, one, seconds=360 + chance.randrange(10_000)),
    "a secret of somebody else": lambda chance, one: resigned(chance, one, key=signing.new_secret()),
}


def changed(sent: Sequence[Message]) -> list[tuple[str, Message]]:
    """Each of the messages with one thing about it changed, and what that is."""
    chance, kinds = random.Random(13), list(CHANGES.items())
    picked = [(kinds[n % len(kinds)], one) for n, one in enumerate(sent)]
    return [(name, change(chance, one)) for (name, change), one in picked]


def by_python(sent: Sequence[Message]) -> list[Any]:
    return [_by_python(one) for one in sent]


def _by_python(one: Message) -> Any:
    try:
        return Webhook(one.secret).verify(one.body, dict(one.headers))
    except Exception:  # it has one of its own, and others for what cannot be read at all
        return None


def by_node(package: str, sent: Sequence[Message]) -> list[Any]:
    installed(package, "package.json")
    told = [
        {"secret": one.secret, "headers": dict(one.headers), "body": base64.b64encode(one.body).decode()}
        for one in sent
    ]
    done = subprocess.run(["node", _VERIFY, package], input=json.dumps(told), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def refused(sent: Sequence[Message], read: Read) -> Iterator[str]:
    """Messages that are not read as what was sent."""
    for one, document in zip(sent, read(sent), strict=True):
        if document != json.loads(one.body):
            yield f"{one.headers} {one.body[:200]!r} was read as {document!r}"


def taken(made: Sequence[tuple[str, Message]], read: Read) -> Iterator[str]:
    """Messages that ought to be refused, and are not."""
    for (name, one), document in zip(made, read([one for _, one in made]), strict=True):
        if document is not None:
            yield f"{name}: {one.headers} {one.body[:200]!r}"


by_each = pytest.mark.parametrize(
    "read",
    [
        pytest.param(by_python, id="PyPI standardwebhooks"),
        # With what needs a browser, since it needs Node.js: `make test` has Python alone.
        *(
            pytest.param(partial(by_node, name), id=f"npm {name}", marks=pytest.mark.browser)
            for name in ("standardwebhooks", "svix")
        ),
    ],
)


@pytest.mark.figure("12", quick=MANY, full=MANY)
@by_each
def test_what_we_sign_is_right_elsewhere(proof: Proof, shared: Path, read: Read) -> None:
    sent = messages(shared)
    proof.cases(len(sent), refused(sent, read))


@pytest.mark.figure("12", quick=MANY, full=MANY)
@by_each
def test_what_was_changed_is_right_nowhere(proof: Proof, shared: Path, read: Read) -> None:
    made = changed(messages(shared))
    assert {name for name, _ in made} == set(CHANGES)
    proof.cases(len(made), taken(made, read))


@pytest.mark.control("12")
@by_each
def test_a_sender_that_signs_something_else_and_a_receiver_that_takes_anything_are_seen(
    shared: Path, read: Read
) -> None:
    sent = messages(shared)[:50]
    otherwise = [replace(one, body=one.body.replace(b'"rating":7.5', b'"rating":7.6')) for one in sent]
    assert len(list(refused(otherwise, read))) == len(sent)
    assert len(list(taken([("nothing", one) for one in sent], read))) == len(sent)
