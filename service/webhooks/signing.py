"""Standard Webhooks 1.0.0: sign what is sent, and check what says that it comes from us.

After spec/standard-webhooks.md of standard-webhooks/standard-webhooks at b2fa7b87, symmetric signatures (`v1`).
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from secrets import token_bytes

from service import __version__

PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)
"""How far a message's time may be from the receiver's clock, either way."""
_BYTES = 32
_FEWEST, _MOST = 24, 64
"""Bytes of a key that the specification allows."""
_SECONDS = re.compile("[0-9]{1,12}")


class BadSecret(ValueError):
    """No secret of Standard Webhooks; the text says what one looks like."""


class BadSignature(Exception):
    """A message that was not signed by us, or not now; the text says why."""


def new_secret() -> str:
    """`whsec_` and the base64 of 32 random bytes."""
    return PREFIX + b64encode(token_bytes(_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The key in a secret: 24 to 64 bytes. Raises BadSecret."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        key = b""
    if not _FEWEST <= len(key) <= _MOST:
        raise BadSecret(f"A secret is {PREFIX} and the base64 of {_FEWEST} to {_MOST} bytes.")
    return key


def signature(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: `v1,…`, one for each secret that is live. `timestamp`: Unix seconds."""
    assert secrets, "nothing is sent unsigned"
    assert message_id and "." not in message_id, message_id  # the dot ends the id in what is signed
    return " ".join(_signed(key_of(one), message_id, str(timestamp), body) for one in secrets)


def _signed(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{b64encode(digest).decode()}"


def headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """All headers of a message: who it is, when it was sent, that it comes from us, and what the body is."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secrets, message_id, timestamp, body),
        "content-type": "application/json",
        "user-agent": f"Greenroom/{__version__}",
    }


def verify(
    secrets: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> None:
    """Raise BadSignature unless the body, as it came, was signed with one of the secrets, about now.

    Names of headers in any case. Versions of signatures that are not ours are passed over, as the specification wants.
    Raises BadSecret for a secret that is none. Without a secret nothing is right.
    """
    told = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, given = (_told(told, f"webhook-{part}") for part in ("id", "timestamp", "signature"))
    if "." in message_id:
        raise BadSignature("The webhook-id has a dot in it.")
    if not _SECONDS.fullmatch(timestamp):
        raise BadSignature("The webhook-timestamp is no number of seconds.")
    late = now.timestamp() - int(timestamp)
    if abs(late) > tolerance.total_seconds():
        raise BadSignature(f"It was sent {abs(late):.0f} seconds {'ago' if late > 0 else 'from now'}.")
    keys = [key_of(one) for one in ([secrets] if isinstance(secrets, str) else secrets)]
    ours = [_signed(key, message_id, timestamp, body).encode() for key in keys]
    theirs = [one.encode() for one in given.split(" ")]
    if not sum(hmac.compare_digest(one, other) for one, other in product(ours, theirs)):  # every pair, found or not
        raise BadSignature("No signature is by this secret, or something was changed on the way.")


def _told(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise BadSignature(f"The header {name} is missing.")
    return value
