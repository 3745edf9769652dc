"""Passwords: which are taken, and how they are kept (argon2id)."""

from __future__ import annotations

import unicodedata
from typing import Final

from passlib.context import CryptContext

from service.errors import Invalid

CONTEXT = CryptContext(schemes=["argon2"])
"""Hashes and verifies; flask-security is given the same one."""

SHORTEST, LONGEST = 12, 1_000
NORMAL_FORM: Final = "NFKC"


def hashed(password: str) -> str:
    """What is kept of a password: salted argon2id in the PHC string format."""
    return str(CONTEXT.hash(unicodedata.normalize(NORMAL_FORM, password)))


def new(password: str, address: str) -> str:
    """What is kept of a password that somebody chose. Invalid when it is not taken."""
    check(password, address)
    return hashed(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether a password is the one that `kept` is the hash of. One hash is computed, whichever it is."""
    fit = len(password) <= LONGEST and "\0" not in password
    if kept is None or not fit:
        CONTEXT.dummy_verify()
        return False
    return bool(CONTEXT.verify(unicodedata.normalize(NORMAL_FORM, password), kept))


def check(password: str, address: str) -> None:
    """Invalid (422) when a password is not taken.

    Long and not the address is all that is asked, as NIST SP 800-63B has it: rules about digits and capitals
    make passwords worse.
    """
    if not SHORTEST <= len(password) <= LONGEST or "\0" in password:
        raise Invalid.field("password", "length", f"A password has at least {SHORTEST} characters.")
    if password.casefold() in (address, address.partition("@")[0]):
        raise Invalid.field("password", "address", "A password must not be the e-mail address.")
