"""Regular work on comments: forget what is private in time, ask whether an address takes mail."""

from __future__ import annotations

from service.comments import queries
from service.comments.upkeep import note_deliverability, purge
from service.db import db, transaction
from service.doors import settings
from service.jobs import regularly
from service.spam.outside import takes_mail

_AT_ONCE = 20


def forget() -> bool:
    with transaction():
        return purge() > 0


def ask_for_mail() -> bool:
    """Look up the domains of comments that wait. The name server is asked while no transaction is open."""
    if not settings().check_deliverability:
        return False
    waiting = queries.unchecked_addresses(_AT_ONCE)
    db.session.rollback()
    for comment_id, sealed in waiting:
        answer = takes_mail(sealed)
        with transaction():
            note_deliverability(comment_id, answer)
    return len(waiting) == _AT_ONCE


def register() -> None:
    regularly("comments.forget", 3600, forget)
    regularly("comments.ask-for-mail", 10, ask_for_mail)
