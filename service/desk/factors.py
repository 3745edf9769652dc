"""Second factors on the account's page: codes from an app, recovery codes, passkeys."""

from __future__ import annotations

import base64
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import marshmallow as ma
import segno
from flask import session
from flask_babel import gettext

from service.accounts import again, factors, passkeys, queries, security
from service.accounts.guard import myself, principal
from service.accounts.models import Moderator
from service.accounts.operations import proven
from service.accounts.passkeys import ANSWERED_WITHIN, NoPasskey, Party
from service.db import now, transaction
from service.desk import account_schemas as schemas
from service.desk import words
from service.errors import Conflict
from service.sites.origins import own_origin

Outcome = str | dict[str, Any]
"""Of a form: the word for what was done, or what the page shows this once."""

_CHALLENGE = "challenge"
_SET_UP = "set-up"
_QUIET = 4
"""White modules around a QR code (ISO/IEC 18004)."""


def seen(me: Moderator) -> dict[str, Any]:
    """What the account's page tells of second factors."""
    return {
        "codes_on": factors.is_on(me.id),
        "recovery_left": queries.recovery_left(me.id),
        "passkeys": [
            {
                "id": one.id,
                "name": one.name,
                "made": words.moment(one.created_at),
                "used": words.moment(one.last_used_at) if one.last_used_at else None,
            }
            for one in queries.passkeys_of(me.id)
        ],
        "passkeys_fit": party() is not None,
    }


def setup(me: Moderator, secret: str) -> dict[str, Any]:
    """A secret as text and as the picture that apps read: one path on a grid of `size` modules."""
    rows = segno.make(factors.address_of(secret, me), error="m", micro=False).matrix
    dark = [(x, y) for y, row in enumerate(rows, _QUIET) for x, bit in enumerate(row, _QUIET) if bit]
    return {
        "text": " ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        "path": "".join(f"M{x} {y}h1v1h-1z" for x, y in dark),
        "size": len(rows) + 2 * _QUIET,
    }


def still_to_confirm() -> dict[str, Any]:
    """The picture once more, for somebody whose first code was wrong."""
    me = myself()
    secret = factors.waiting(me.id, _mark())
    return {"setup": setup(me, secret)} if secret else {}


def _mark() -> str:
    """Of the set-up that this session began; nothing when it began none."""
    kept = session.get(_SET_UP)
    return kept if isinstance(kept, str) else ""


def _start(values: dict[str, Any]) -> Outcome:
    proof = again.prove(values["old"])
    with transaction():
        me = proven(proof)
        secret = factors.start(me)
    session[_SET_UP] = factors.mark_of(secret)
    return {"setup": setup(me, secret)}


def _confirm(values: dict[str, Any]) -> Outcome:
    with security.few_tries("second-factor", principal().moderator_id), transaction():
        recovery = factors.confirm(myself(), values["code"], _mark())
    session.pop(_SET_UP, None)
    return {"recovery": recovery}


def _switch_off(values: dict[str, Any]) -> Outcome:
    proof = again.prove(values["old"])
    with transaction():
        factors.switch_off(proven(proof), actor=principal().actor)
    return "codes-off"


def _renew(values: dict[str, Any]) -> Outcome:
    proof = again.prove(values["old"])
    with transaction():
        return {"recovery": factors.renew_recovery(proven(proof)), "renewed": True}


def party() -> Party | None:
    """Whom passkeys are for; None where browsers reach us by a number, for which there are none."""
    origin = own_origin()
    host = urlsplit(origin).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return Party(host, origin)
    return None


def to_make(password: str) -> dict[str, Any]:
    """What a browser needs to make a passkey. The session keeps the challenge.

    The password comes first, so that nobody's device makes one that is refused then.
    """
    here = this_party()
    again.prove(password)
    options, challenge = passkeys.to_make(myself(), here)
    put_challenge(challenge)
    return options


def this_party() -> Party:
    found = party()
    if found is None:
        raise Conflict(gettext("Passkeys need a name, and this Greenroom is reached by a number."))
    return found


def put_challenge(challenge: bytes) -> None:
    session[_CHALLENGE] = [base64.b64encode(challenge).decode(), int(now().timestamp())]


def take_challenge() -> bytes:
    """The challenge of this session, which is good once and for five minutes. NoPasskey when there is none."""
    kept = session.pop(_CHALLENGE, None)
    if not isinstance(kept, list) or int(now().timestamp()) - kept[1] >= ANSWERED_WITHIN.total_seconds():
        raise NoPasskey(gettext("That took too long. Please try again."))
    return base64.b64decode(kept[0])


def _add_passkey(values: dict[str, Any]) -> Outcome:
    challenge = take_challenge()
    proof = again.prove(values["old"])
    made = passkeys.made(values["credential"], challenge, this_party())
    with transaction():
        passkeys.keep(proven(proof), values["name"], made)
    return "passkey"


def _remove_passkey(values: dict[str, Any]) -> Outcome:
    with transaction():
        passkeys.remove(principal().moderator_id, values["id"])
    return "passkey-gone"


DEEDS: dict[str, tuple[type[ma.Schema], Callable[[dict[str, Any]], Outcome]]] = {
    "codes-start": (schemas.Prove, _start),
    "codes-confirm": (schemas.Confirm, _confirm),
    "codes-off": (schemas.Prove, _switch_off),
    "recovery": (schemas.Prove, _renew),
    "passkey": (schemas.AddPasskey, _add_passkey),
    "passkey-remove": (schemas.OneOfMine, _remove_passkey),
}
