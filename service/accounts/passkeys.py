"""Passkeys (WebAuthn, by py_webauthn): a device proves who somebody is, and itself that it is really them.

So one is enough to sign in: it is something they have, opened by something they know or are.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.accounts import operations, queries
from service.accounts.models import Moderator, Passkey
from service.audit.operations import Deed, record
from service.db import db, new_id, now
from service.errors import Conflict, Invalid, NotFound
from service.strictjson import BadJSON, loads

MOST = 20
_NAME = "Greenroom"


class NoPasskey(Invalid):
    detail = "No account is opened by this passkey."


@dataclass(frozen=True)
class Party:
    """Whom a passkey is for: the host that browsers see, and its origin."""

    host: str
    origin: str


def to_make(moderator: Moderator, party: Party) -> tuple[dict[str, Any], bytes]:
    """What a browser needs to make a passkey, as JSON has it, and the challenge that its answer must hold."""
    import webauthn  # here: it takes a third of a second, which only those wait for who use passkeys
    from webauthn.helpers import structs

    challenge = secrets.token_bytes(32)
    options = webauthn.generate_registration_options(
        rp_id=party.host,
        rp_name=_NAME,
        user_id=moderator.id.bytes,
        user_name=moderator.email,
        user_display_name=moderator.name,
        challenge=challenge,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            structs.PublicKeyCredentialDescriptor(id=one.credential_id) for one in queries.passkeys_of(moderator.id)
        ],
    )
    return json.loads(webauthn.options_to_json(options)), challenge


def keep(moderator: Moderator, name: str, credential: str, challenge: bytes, party: Party) -> Passkey:
    """A new passkey of a moderator. Invalid when the browser's answer is not one to the challenge."""
    import webauthn

    if len(queries.passkeys_of(moderator.id)) >= MOST:
        raise Conflict(f"An account has at most {MOST} passkeys. Remove one first.")
    with _understood():
        made = webauthn.verify_registration_response(
            credential=_object(credential),
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    if queries.passkey_with(made.credential_id):
        raise Conflict("This passkey is known already.")
    kept = Passkey(
        id=new_id(), moderator_id=moderator.id, name=operations.good_name(name), credential_id=made.credential_id,
        public_key=made.credential_public_key, sign_count=made.sign_count, created_at=now(),
    )  # fmt: skip
    db.session.add(kept)
    db.session.flush()
    record(Deed("factor.passkey-added", f"moderator:{moderator.id}", None, moderator.id, {"name": kept.name}))
    return kept


def to_sign_in(party: Party) -> tuple[dict[str, Any], bytes]:
    """What a browser needs to sign in with whichever passkey it has: it names nobody. And the challenge."""
    import webauthn
    from webauthn.helpers import structs

    challenge = secrets.token_bytes(32)
    verified = structs.UserVerificationRequirement.REQUIRED
    options = webauthn.generate_authentication_options(
        rp_id=party.host, challenge=challenge, user_verification=verified
    )
    return json.loads(webauthn.options_to_json(options)), challenge


def whose(credential: str, challenge: bytes, party: Party) -> Moderator:
    """Who is signing in. NoPasskey in the same words whatever is wrong with the browser's answer."""
    import webauthn
    from webauthn.helpers import parse_authentication_credential_json

    with _understood():
        told = parse_authentication_credential_json(_object(credential))
        kept = queries.passkey_with(told.raw_id)
        moderator = queries.moderator_by_id(kept.moderator_id) if kept else None
        if kept is None or moderator is None or not moderator.active:
            raise NoPasskey()
        seen = webauthn.verify_authentication_response(
            credential=told,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=kept.public_key,
            credential_current_sign_count=kept.sign_count,
            require_user_verification=True,
        )
    kept.sign_count, kept.last_used_at = seen.new_sign_count, now()
    return moderator


def _object(credential: str) -> dict[str, Any]:
    found = loads(credential.encode())
    if not isinstance(found, dict):
        raise NoPasskey()
    return found


@contextmanager
def _understood() -> Iterator[None]:
    """Whatever the library says about an answer that is none: NoPasskey."""
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        yield
    except (WebAuthnException, BadJSON, ValueError, TypeError, KeyError, IndexError) as error:
        raise NoPasskey() from error


def remove(moderator_id: UUID, passkey_id: UUID) -> None:
    """A passkey opens nothing any more. NotFound when it is none of theirs."""
    if not queries.forget_passkeys(moderator_id, passkey_id):
        raise NotFound("There is no passkey of yours by that id.")
    record(Deed("factor.passkey-removed", f"moderator:{moderator_id}", None, moderator_id))


def remove_all(moderator: Moderator, *, actor: str) -> int:
    """No passkey opens the account any more; how many did."""
    removed = queries.forget_passkeys(moderator.id)
    if removed:
        record(Deed("factor.passkey-removed", actor, None, moderator.id, {"all": removed}))
    return removed
