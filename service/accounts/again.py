"""The password, asked again of somebody who is signed in, before what a thief of their session would do."""

from __future__ import annotations

from service.accounts import operations, security
from service.accounts.guard import myself, principal
from service.accounts.models import OWNER
from service.accounts.operations import Proof
from service.db import transaction
from service.errors import Invalid


def prove(password: str, field: str = "old") -> Proof:
    """Invalid when it is not theirs: counted as a sign-in is, and written down as one that failed.

    Outside of a transaction: a hash takes long, and on SQLite nobody else writes meanwhile.
    """
    me = myself()
    with security.few_tries("password", me.id):
        try:
            return operations.prove(me, password, field)
        except Invalid:
            with transaction():
                operations.note_refused(me.id, "password")
            raise


def prove_for(role: str, password: str | None, field: str = "old") -> Proof | None:
    """The proof that giving a role needs: of somebody at the desk who makes an owner, and of nobody else."""
    if role != OWNER or principal().kind != "session":
        return None
    return prove(typed(password, field, "Type your password to make an owner."), field)


def typed(password: str | None, field: str, why: str) -> str:
    """Nothing typed is no try: Invalid with the sentence that says what the password is for."""
    if not password:
        raise Invalid.field(field, "required", why)
    return password
