"""Signatures of Standard Webhooks: the known answer, a library of the specification's authors, what is refused."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from standardwebhooks import Webhook

from service.db import new_id
from service.webhooks import signing
from service.webhooks.signing import BadSecret, BadSignature

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = '{"type":"ping","data":{"text":"Ärger über 50 €"}}'.encode()
SECRET, OTHER = (f"whsec_{base64.b64encode(bytes(range(first, first + 32))).decode()}" for first in (1, 100))
ID = str(new_id())

Message = tuple[dict[str, str], bytes]
Change = Callable[[dict[str, str], bytes], Message]


@pytest.fixture
def known(shared: Path) -> dict[str, Any]:
    """The known answer that the libraries of the specification are tested with."""
    found: dict[str, Any]
    (found,) = json.loads((shared / "corpora/standard-webhooks/vector.json").read_text())
    return found


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """The library asks the clock itself."""
    with time_machine.travel(NOON, tick=False):
        yield


def sent(*secrets: str, at: datetime = NOON, body: bytes = BODY) -> Message:
    return signing.headers(secrets or (SECRET,), ID, int(at.timestamp()), body), body


def is_right(message: Message, *secrets: str, now: datetime = NOON) -> bool:
    headers, body = message
    try:
        signing.verify(secrets or (SECRET,), headers, body, now)
    except BadSignature:
        return False
    return True


def is_right_elsewhere(message: Message, secret: str = SECRET) -> bool:
    headers, body = message
    try:
        Webhook(secret).verify(body, headers)
    except Exception:  # it has an error of its own, and others for what cannot be read at all
        return False
    return True


def test_the_known_answer_is_ours(known: dict[str, Any]) -> None:
    body = known["payload"].encode()
    assert signing.signature([known["secret"]], known["msg_id"], known["timestamp"], body) == known["signature"]


def test_the_known_answer_is_right_at_its_time_and_not_today(known: dict[str, Any]) -> None:
    headers = {
        "Webhook-Id": known["msg_id"],
        "Webhook-Timestamp": str(known["timestamp"]),
        "Webhook-Signature": known["signature"],
    }
    message = headers, known["payload"].encode()
    assert is_right(message, known["secret"], now=datetime.fromtimestamp(known["timestamp"], UTC))
    assert not is_right(message, known["secret"])


def test_what_we_sign_is_right_here_and_elsewhere() -> None:
    assert is_right(sent()) and is_right_elsewhere(sent())
    headers, _ = sent()
    assert headers["webhook-id"] == ID
    assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("Greenroom/")


def test_what_they_sign_is_right_here() -> None:
    headers, body = sent()
    headers["webhook-signature"] = Webhook(SECRET).sign(ID, NOON, body.decode())
    assert is_right((headers, body))


def put(name: str, value: Callable[[str], str]) -> Change:
    return lambda headers, body: (headers | {name: value(headers[name])}, body)


def without(name: str) -> Change:
    return lambda headers, body: ({one: value for one, value in headers.items() if one != name}, body)


def flipped(signature: str) -> str:
    """The same but for one bit of the digest."""
    digest = bytearray(base64.b64decode(signature.removeprefix("v1,")))
    digest[-1] ^= 1
    return f"v1,{base64.b64encode(digest).decode()}"


CHANGES: dict[str, Change] = {
    "another body": lambda headers, body: (headers, body.replace(b"50", b"51")),
    "one bit of the body": lambda headers, body: (headers, bytes([body[0] ^ 1]) + body[1:]),
    "a space after the body": lambda headers, body: (headers, body + b" "),
    "no body": lambda headers, body: (headers, b""),
    "another id": put("webhook-id", lambda _: str(new_id())),
    "no id": without("webhook-id"),
    "an empty id": put("webhook-id", lambda _: ""),
    "a second later": put("webhook-timestamp", lambda one: str(int(one) + 1)),
    "a time that is no number": put("webhook-timestamp", lambda _: "now"),
    "a time beyond all clocks": put("webhook-timestamp", lambda _: "9" * 400),
    "no time": without("webhook-timestamp"),
    "one bit of the signature": put("webhook-signature", flipped),
    "another version": put("webhook-signature", lambda one: one.replace("v1,", "v2,")),
    "an asymmetric version": put("webhook-signature", lambda one: one.replace("v1,", "v1a,")),
    "no version": put("webhook-signature", lambda one: one.removeprefix("v1,")),
    "a shorter signature": put("webhook-signature", lambda one: one[:-5]),
    "an empty signature": put("webhook-signature", lambda _: "v1,"),
    "no signature": without("webhook-signature"),
    "the signature of another secret": lambda headers, body: sent(OTHER),
    "the signature of another body": lambda headers, body: (sent(body=b"{}")[0], body),
}

WRITTEN_OTHERWISE: dict[str, Callable[[str], str]] = {
    "with a zero": lambda one: f"0{one}",
    "with a sign": lambda one: f"+{one}",
    "with a space": lambda one: f" {one}",
    "with an underscore": lambda one: f"{one[:-1]}_{one[-1]}",
    "in other digits": lambda one: one.replace("1", "\u0661"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_is_changed_is_refused(change: Change) -> None:
    changed = change(*sent())
    assert changed != sent()
    assert not is_right(changed) and not is_right_elsewhere(changed)


@pytest.mark.parametrize("change", WRITTEN_OTHERWISE.values(), ids=WRITTEN_OTHERWISE.keys())
def test_the_same_second_written_otherwise_was_not_signed(change: Callable[[str], str]) -> None:
    headers, body = sent()
    assert not is_right((headers | {"webhook-timestamp": change(headers["webhook-timestamp"])}, body))


@pytest.mark.parametrize(("seconds", "right"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_a_message_is_right_for_five_minutes_before_and_after(seconds: int, right: bool) -> None:
    """Its signature is: a message that somebody kept is not sent again later."""
    message = sent(at=NOON + timedelta(seconds=seconds))
    assert is_right(message) is right
    assert is_right_elsewhere(message) is right


def test_a_dot_moves_no_part_of_the_id_into_the_time() -> None:
    """`a.1.body` signed as id `a` and time `1` would also be that of the id `a.1`, if ids could have dots."""
    headers, body = sent()
    headers["webhook-id"] += ".5"
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}".encode() + b"." + body
    digest = base64.b64encode(hmac.digest(signing.key_of(SECRET), content, "sha256")).decode()
    with pytest.raises(BadSignature, match="dot"):
        signing.verify(SECRET, headers | {"webhook-signature": f"v1,{digest}"}, body, NOON)
    with pytest.raises(AssertionError):
        signing.signature([SECRET], headers["webhook-id"], 1, body)


def test_two_live_secrets_sign_while_one_rotates_and_the_old_one_fails_after() -> None:
    new, old = signing.new_secret(), SECRET
    during, after = sent(new, old), sent(new)
    for secret in (new, old):
        assert is_right(during, secret) and is_right_elsewhere(during, secret)
    assert is_right(after, new) and is_right_elsewhere(after, new)
    assert not is_right(after, old) and not is_right_elsewhere(after, old)
    assert is_right(after, old, new)  # a receiver that knows both


def test_signatures_of_versions_that_nobody_knows_yet_are_passed_over() -> None:
    headers, body = sent()
    headers["webhook-signature"] = f"v9,abc {headers['webhook-signature']} v1a,xyz"
    assert is_right((headers, body)) and is_right_elsewhere((headers, body))


def test_without_a_secret_nothing_is_right() -> None:
    headers, body = sent()
    with pytest.raises(BadSignature):
        signing.verify([], headers, body, NOON)
    with pytest.raises(AssertionError):
        signing.headers([], ID, 1, body)


def test_secrets_are_those_of_the_specification_and_no_two_are_equal() -> None:
    made = {signing.new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(one.startswith("whsec_") and len(base64.b64decode(one[6:])) == 32 for one in made)
    assert {len(signing.key_of(one)) for one in made} == {32}


@pytest.mark.parametrize("bytes_", [24, 64])
def test_a_key_may_be_as_short_and_as_long_as_the_specification_says(bytes_: int) -> None:
    bare = base64.b64encode(b"k" * bytes_).decode()
    assert signing.key_of(bare) == signing.key_of(f"whsec_{bare}") == b"k" * bytes_


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_%%%", "whsec_é", "whsec_" + base64.b64encode(b"k" * 23).decode(), SECRET[:-1], f"{SECRET} ",
     "whsec_" + base64.b64encode(b"k" * 65).decode(), "whsk_" + SECRET[6:]],
)  # fmt: skip
def test_what_is_no_secret_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(BadSecret) as refused:
        signing.verify(secret, *sent(), NOON)
    assert SECRET[6:20] not in str(refused.value)
