"""Regular work for authors: what was erased leaves the index of words, too."""

from __future__ import annotations

from datetime import timedelta

from service.authors import queries
from service.db import now, transaction
from service.jobs import regularly

_EVERY = timedelta(hours=1)


def sweep() -> bool:
    """SQLite's index keeps words that are gone until it is put together anew; PostgreSQL has none of its own."""
    if queries.is_erased_since(now() - 2 * _EVERY):
        with transaction():
            queries.put_index_together()
    return False


def register() -> None:
    regularly("authors.sweep", _EVERY.total_seconds(), sweep)
