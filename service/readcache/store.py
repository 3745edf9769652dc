"""The answers that are kept: as many bytes as the setting allows, each until something that it tells of changes."""

from __future__ import annotations

from asyncio import Future, get_running_loop
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from service.db import now
from service.readcache.answers import Asked, Entry, Ready
from service.readcache.changes import Changes

Key = tuple[bytes, bytes]


@dataclass
class Fill:
    """An answer that is being made, in which codings it is waited for, and what has changed meanwhile."""

    done: Future[Entry | None]
    """What was made, whether or not it is kept; None where it is not for everybody."""
    codings: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    all_changed: bool = False


class Store:
    """Bounded by `most` bytes; what was not asked for the longest goes first. Safe to be told of changes by threads."""

    def __init__(self, most: int, changes: Changes) -> None:
        self._changes = changes
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._by_tag: defaultdict[str, set[Key]] = defaultdict(set)
        self._fills: dict[Key, Fill] = {}
        self._lock = Lock()
        self.size = 0
        self.most = most
        self.given = {200: 0, 304: 0}
        """How many answers were found here, by status: a plain sum, since this is the quickest way there is."""
        self.made = 0
        changes.listen(self)

    def find(self, asked: Asked) -> Ready | None:
        """The answer, if it is kept in the form that is asked for and nothing has changed."""
        if not self._changes.caught_up():
            return None
        with self._lock:
            entry = self._entries.get(asked.key)
            if entry is None:
                return None
            if entry.shared.until is not None and entry.shared.until <= now():
                self._forget(asked.key)  # whichever form is asked for: none is made of what is over
                return None
            if asked.coding not in entry.forms:
                return None
            self._entries.move_to_end(asked.key)
        ready = entry.answer(asked)
        self.given[ready.status] += 1
        return ready

    def kept(self, asked: Asked) -> Entry | None:
        """An answer that may lack the form that is asked for."""
        return self._entries.get(asked.key)

    def begin(self, asked: Asked) -> tuple[Fill, bool] | None:
        """From now on changes count against an answer that is made. While somebody makes it: theirs, and False.

        None when nothing may be relied on. Called on the event loop, as `end` is.
        """
        if not self._changes.caught_up():
            return None
        fill = self._fills.get(asked.key)
        is_new = fill is None
        if fill is None:
            fill = Fill(get_running_loop().create_future())
            with self._lock:
                self._fills[asked.key] = fill
        fill.codings.add(asked.coding)
        return fill, is_new

    def end(self, key: Key, fill: Fill, entry: Entry | None) -> None:
        """Keep what was made, unless something that it tells of has changed since it was begun."""
        with self._lock:
            del self._fills[key]
            stale = entry is None or fill.all_changed or not fill.changed.isdisjoint(entry.shared.keys)
            self._forget(key)
            if entry is not None and not stale:
                self._keep(key, entry)
                self.made += 1
        fill.done.set_result(entry)

    def _keep(self, key: Key, entry: Entry) -> None:
        self._entries[key] = entry
        for tag in entry.shared.keys:
            self._by_tag[tag].add(key)
        self.size += entry.size
        while self.size > self.most:
            self._forget(next(iter(self._entries)))

    def _forget(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.size -= entry.size
        for tag in entry.shared.keys:
            self._by_tag[tag].discard(key)
            if not self._by_tag[tag]:
                del self._by_tag[tag]

    def drop(self, tags: Iterable[str]) -> None:
        """Forget all that tells of something."""
        with self._lock:
            for tag in tags:
                for key in list(self._by_tag.get(tag, ())):
                    self._forget(key)
                for fill in self._fills.values():
                    fill.changed.add(tag)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._by_tag.clear()
            self.size = 0
            for fill in self._fills.values():
                fill.all_changed = True

    def close(self) -> None:
        self._changes.close()
