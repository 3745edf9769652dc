"""The second factor: codes from an app (TOTP, RFC 6238; libpass computes them), and recovery codes for its loss."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from datetime import timedelta
from uuid import UUID

from passlib.exc import TokenError
from passlib.totp import TOTP

from service.accounts import operations, queries
from service.accounts.models import Moderator, TotpSecret
from service.audit.operations import Deed, record
from service.db import db, now
from service.errors import Conflict, Invalid
from service.privacy.seal import seal
from service.privacy.unseal import reseal, unseal

CODES = 10
"""Recovery codes at a time."""

_SET_UP_WITHIN = timedelta(minutes=10)
_ISSUER = "Greenroom"
_CODE = re.compile("[0-9]{6}")
_BYTES = 15
"""Of randomness in a recovery code: as much as makes a slow hash needless (ASVS 5.0, 6.5.2), and no padding."""


def is_on(moderator_id: UUID) -> bool:
    """Whether signing in with a password asks for a code, too."""
    found = queries.totp_of(moderator_id)
    return found is not None and found.confirmed_at is not None


def start(moderator: Moderator) -> str:
    """A new secret, in base32. It counts once `confirm` saw a code of it. Ask for `proven` first.

    Conflict when one counts already: then that is switched off first.
    """
    if is_on(moderator.id):
        raise Conflict("Codes are asked for already. Switch them off first, to set them up on another phone.")
    secret = str(TOTP.new().base32_key)
    queries.forget_totp(moderator.id)
    db.session.add(TotpSecret(moderator_id=moderator.id, sealed=seal(secret), created_at=now()))
    db.session.flush()
    return secret


def mark_of(secret: str) -> str:
    """What the session that began a set-up keeps: a thief's older copy of its cookie has it not."""
    return operations.digest_of(f"set-up:{secret}").hex()


def waiting(moderator_id: UUID, mark: str) -> str | None:
    """The secret that the session with this mark was shown less than ten minutes ago, and did not confirm."""
    found = queries.totp_of(moderator_id)
    return unseal(found.sealed) if found and _is_being_set_up(found, mark) else None


def _is_being_set_up(found: TotpSecret, mark: str) -> bool:
    if found.confirmed_at or found.created_at <= now() - _SET_UP_WITHIN:
        return False
    return hmac.compare_digest(mark_of(unseal(found.sealed)), mark)


def address_of(secret: str, moderator: Moderator) -> str:
    """The secret as apps read it from a picture: `otpauth://totp/…`."""
    return str(TOTP(secret).to_uri(label=moderator.email.replace(":", " "), issuer=_ISSUER))


def confirm(moderator: Moderator, code: str, mark: str) -> list[str]:
    """From now on codes are asked for; the recovery codes, told once. Invalid when the code is not right.

    Conflict when the session with this mark did not begin it, or more than ten minutes ago.
    """
    found = queries.totp_of(moderator.id, locked=True)
    if found is None or not _is_being_set_up(found, mark):
        raise Conflict("Nothing is being set up. Begin again.")
    if not _is_right(found, code):
        told = "That code is not right. Wait for the next one, and check that your phone knows the time."
        raise Invalid.field("code", "wrong", told)
    found.confirmed_at = now()
    record(Deed("factor.codes-on", f"moderator:{moderator.id}", None, moderator.id))
    return _new_recovery_codes(moderator.id)


def passes(moderator_id: UUID, typed: str) -> bool:
    """Whether it is a code of the app, or a recovery code, that is good now. Neither is good twice.

    One that is wrong is written down as a sign-in that failed.
    """
    typed = "".join(typed.split()).replace("-", "")
    right = _takes_code(moderator_id, typed) if _CODE.fullmatch(typed) else _takes_recovery(moderator_id, typed)
    if not right:
        operations.note_refused(moderator_id, "code")
    return right


def _takes_code(moderator_id: UUID, code: str) -> bool:
    found = queries.totp_of(moderator_id, locked=True)
    return found is not None and found.confirmed_at is not None and _is_right(found, code)


def _is_right(found: TotpSecret, code: str) -> bool:
    """Whether the code is of this half minute or one of its neighbours, and newer than the last one that was taken."""
    code = "".join(code.split())
    if not _CODE.fullmatch(code):
        return False
    try:
        match = TOTP(unseal(found.sealed)).match(code, time=int(now().timestamp()), last_counter=found.last_counter)
    except TokenError:
        return False
    found.last_counter = match.counter
    db.session.flush()
    return True


def _takes_recovery(moderator_id: UUID, typed: str) -> bool:
    if not queries.use_recovery(moderator_id, _digest(moderator_id, typed.upper())):
        return False
    left = queries.recovery_left(moderator_id)
    record(Deed("factor.recovery-used", f"moderator:{moderator_id}", None, moderator_id, {"left": left}))
    return True


def renew_recovery(moderator: Moderator) -> list[str]:
    """Other recovery codes, told once; those before them are good no more. Conflict where no codes are asked for.

    Ask for `proven` first.
    """
    if not is_on(moderator.id):
        raise Conflict("No codes are asked for, so there is nothing to recover from.")
    record(Deed("factor.recovery-made", f"moderator:{moderator.id}", None, moderator.id))
    return _new_recovery_codes(moderator.id)


def _new_recovery_codes(moderator_id: UUID) -> list[str]:
    queries.forget_recovery(moderator_id)
    made = [base64.b32encode(secrets.token_bytes(_BYTES)).decode() for _ in range(CODES)]
    queries.add_recovery(moderator_id, [_digest(moderator_id, one) for one in made])
    return ["-".join(one[n : n + 4] for n in range(0, len(one), 4)).lower() for one in made]


def _digest(moderator_id: UUID, code: str) -> bytes:
    return operations.digest_of(f"recovery:{moderator_id}:{code}")


def switch_off(moderator: Moderator, *, actor: str) -> bool:
    """Only the password is asked for from now on; whether it was more. Ask for `proven` first."""
    was_on = is_on(moderator.id)
    queries.forget_totp(moderator.id)
    queries.forget_recovery(moderator.id)
    if was_on:
        record(Deed("factor.codes-off", actor, None, moderator.id))
    return was_on


def purge() -> int:
    """Forget what was begun and not confirmed in time; how many."""
    return queries.forget_set_ups(now() - _SET_UP_WITHIN)


def reseal_secrets() -> int:
    """Seal every secret anew with the newest key; how many."""
    found = queries.totp_secrets()
    for one in found:
        one.sealed = reseal(one.sealed)
    return len(found)
