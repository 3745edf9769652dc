"""Passkeys (WebAuthn, by py_webauthn): a device proves who somebody is, and itself that it is really them.

So one is enough to sign in: it is something they have, opened by something they know or are.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from service.accounts import operations, queries
from service.accounts.models import Moderator, Passkey, UsedChallenge
from service.audit.operations import Deed, record
from service.db import db, insert_if_new, new_id, now
from service.errors import Conflict, Invalid, NotFound, Problem
from service.strictjson import BadJSON, loads

MOST = 20
ANSWERED_WITHIN = timedelta(minutes=5)
_NAME = "Greenroom"


class NoPasskey(Invalid):
    """`whose`: the account that it would open, where that is known; it is told to nobody."""

    detail = "No account is opened by this passkey."

    def __init__(self, detail: str | None = None, whose: UUID | None = None) -> None:
        super().__init__(detail)
        self.whose = whose


class Copied(NoPasskey):
    """The device's count did not rise: there may be two of it (WebAuthn, 6.1.1)."""


class NotMade(Invalid):
    detail = "What your device answered cannot be taken, so no passkey was added. Please try again."


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


@dataclass(frozen=True)
class Made:
    """A new passkey as its device described it, in the answer to a challenge."""

    challenge: bytes
    credential_id: bytes
    public_key: bytes
    sign_count: int


def made(credential: str, challenge: bytes, party: Party) -> Made:
    """A new passkey. NotMade when the browser's answer is not one to the challenge."""
    import webauthn

    with _understood(NotMade()):
        told = webauthn.verify_registration_response(
            credential=_object(credential),
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    return Made(challenge, told.credential_id, told.credential_public_key, told.sign_count)


def keep(moderator: Moderator, name: str, new: Made) -> Passkey:
    """Let somebody in by a new passkey from now on. Ask for `proven` first."""
    if len(queries.passkeys_of(moderator.id)) >= MOST:
        raise Conflict(f"An account has at most {MOST} passkeys. Remove one first.")
    if queries.passkey_with(new.credential_id):
        raise Conflict("This passkey is known already.")
    if not _first_answer(new.challenge):
        raise NotMade()
    kept = Passkey(
        id=new_id(), moderator_id=moderator.id, name=operations.good_name(name), credential_id=new.credential_id,
        public_key=new.public_key, sign_count=new.sign_count, created_at=now(),
    )  # fmt: skip
    db.session.add(kept)
    db.session.flush()
    record(Deed("factor.passkey-added", f"moderator:{moderator.id}", None, moderator.id, {"name": kept.name}))
    return kept


def _first_answer(challenge: bytes) -> bool:
    """Whether nobody answered a challenge before: a copy of the cookie that holds it is as good as the cookie."""
    return insert_if_new(UsedChallenge, {"digest": hashlib.sha256(challenge).digest(), "used_at": now()})


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


@dataclass(frozen=True)
class Answer:
    """A good answer of a device to a challenge, and how many it has given."""

    challenge: bytes
    passkey_id: UUID
    whose: UUID
    count: int


def answered(credential: str, challenge: bytes, party: Party) -> Answer:
    """What a device answered, before anything is locked. NoPasskey in the same words whatever is wrong with it."""
    import webauthn
    from webauthn.helpers import parse_authentication_credential_json

    with _understood(NoPasskey()):
        told = parse_authentication_credential_json(_object(credential))
    kept = queries.passkey_with(told.raw_id)
    if kept is None:
        raise NoPasskey()
    with _understood(NoPasskey(whose=kept.moderator_id)):
        seen = webauthn.verify_authentication_response(
            credential=told,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=kept.public_key,
            credential_current_sign_count=0,  # `enter` compares it, once the signature is known to be good
            require_user_verification=True,
        )
    return Answer(challenge, kept.id, kept.moderator_id, seen.new_sign_count)


def enter(answer: Answer) -> Moderator:
    """Who is signing in. NoPasskey when that account or passkey is none any more, or the answer was given before."""
    kept = queries.locked_passkey(answer.passkey_id)
    moderator = queries.moderator_by_id(answer.whose)
    if kept is None or moderator is None or not moderator.active or not _first_answer(answer.challenge):
        raise NoPasskey(whose=answer.whose)
    if (answer.count or kept.sign_count) and answer.count <= kept.sign_count:
        raise Copied(whose=answer.whose)
    kept.sign_count, kept.last_used_at = answer.count, now()
    return moderator


def note_refused(refused: NoPasskey) -> None:
    """Somebody did not get in by a passkey. It is a deed of its own when the passkey may have been copied."""
    operations.note_refused(refused.whose, "passkey")
    if isinstance(refused, Copied):
        record(Deed("factor.passkey-copied", "system", None, refused.whose))


def _object(credential: str) -> dict[str, Any]:
    found = loads(credential.encode())
    if not isinstance(found, dict):
        raise TypeError
    return found


@contextmanager
def _understood(problem: Problem) -> Iterator[None]:
    """Whatever the library says about an answer that is none: the problem."""
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        yield
    except (WebAuthnException, BadJSON, ValueError, TypeError, KeyError, IndexError) as error:
        raise problem from error


def purge() -> int:
    """Forget the challenges that nobody could answer any more; how many."""
    return queries.forget_challenges(now() - ANSWERED_WITHIN)


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
