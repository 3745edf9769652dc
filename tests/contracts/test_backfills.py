"""What a migration fills in for the rows that are there already, on both databases."""

from __future__ import annotations

from alembic import command
from flask import Flask
from sqlalchemy import select

from service import revisions
from service.comments.models import Comment
from service.db import db, writing
from tests.proof import catalogue

from .test_migrations import fresh, say

__all__ = ["fresh"]


def upgrade(to: str) -> None:
    with writing() as connection:
        command.upgrade(revisions.config(connection), to)


def test_what_waits_has_waited_since_its_last_move_or_else_since_it_came(fresh: Flask) -> None:
    upgrade("0026")
    for first in (1, 3):
        catalogue.fill(first)
    say("UPDATE comments SET decided_at = NULL WHERE version = 2")
    upgrade("0027")
    found = {one.version: one for one in db.session.scalars(select(Comment))}
    assert [found[n].status for n in (1, 2, 3, 4)] == ["approved", "pending"] * 2
    assert (found[2].waiting_since, found[4].waiting_since) == (found[2].received_at, found[4].decided_at)
    assert found[1].waiting_since is found[3].waiting_since is None
