"""The password, asked again of somebody who is signed in, before what a thief of their session would do."""

from __future__ import annotations

from service.accounts import operations, security
from service.accounts.guard import myself
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
