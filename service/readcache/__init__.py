"""Published answers as ready bytes, kept until what they tell of changes. `front` asks; doors only say `Shared`."""

from service.readcache.answers import IDENTITY, Asked, Entry, Ready, bare, coding_of
from service.readcache.changes import BOUND, Changes, PostgresChanges, changes_of, keys_of
from service.readcache.shared import NOTE, Hole, Shared, page_key, site_key, sites_pages_key
from service.readcache.store import Fill, Store

__all__ = [
    "BOUND", "IDENTITY", "NOTE", "Asked", "Changes", "Entry", "Fill", "Hole", "PostgresChanges", "Ready", "Shared",
    "Store", "bare", "changes_of", "coding_of", "keys_of", "page_key", "site_key", "sites_pages_key",
]  # fmt: skip
