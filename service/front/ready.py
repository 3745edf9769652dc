"""Answers from the read cache, and those that it may keep: made once, however many ask at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIApplication

from service.front.call import Call, environ_of
from service.front.lane import Lane
from service.readcache import NOTE, Asked, Entry, Fill, Ready, Store, bare

_DOORS = (b"/v1/sites/", b"/embed/")
"""Where answers may be for everybody. All others pass by."""
_METHODS = {"GET", "HEAD"}
_TURNS = (False, True, True, True)
"""How often somebody waits at most; whether what they then wait for was begun after they asked."""


class Shelf:
    """What is kept of `app`'s answers, and a lane in which others are made."""

    def __init__(self, store: Store, app: WSGIApplication, lane: Lane) -> None:
        self._store = store
        self._app = app
        self._lane = lane

    def asked(self, scope: Mapping[str, Any]) -> Asked | None:
        """What a request asks for; None where its answer is never kept."""
        if scope["method"] not in _METHODS or not scope["raw_path"].startswith(_DOORS):
            return None
        return Asked.of(scope)

    def find(self, asked: Asked) -> Ready | None:
        return self._store.find(asked)

    async def make(self, asked: Asked, scope: Mapping[str, Any]) -> Ready | None:
        """The answer as the app gives it, kept if it may be. None where the request has to go the usual way.

        Who waits while somebody else makes it may find that it has changed meanwhile, and then waits for another one:
        that one was begun after they asked, and so is right for them even if it changes once more.
        """
        for is_later in _TURNS:
            begun = self._store.begin(asked)
            if begun is None:
                return None
            fill, is_mine = begun
            if is_mine:
                return await self._fill(fill, asked, scope)
            await asyncio.wait([fill.done])
            entry = fill.done.result()
            if entry is None:
                return None
            if ready := self._store.find(asked):
                return ready
            if is_later and asked.coding in entry.forms:
                return entry.answer(asked)
        return None

    async def _fill(self, fill: Fill, asked: Asked, scope: Mapping[str, Any]) -> Ready:
        entry = None
        try:
            kept = self._store.kept(asked)
            run = (lambda: _packed(kept, asked, fill)) if kept else (lambda: self._made(asked, scope, fill))
            ready, entry = await self._lane.run(run)
        finally:
            self._store.end(asked.key, fill, entry)
        return ready

    def _made(self, asked: Asked, scope: Mapping[str, Any], fill: Fill) -> tuple[Ready, Entry | None]:
        """In a thread: the whole answer to an unconditional GET, and what is kept of it."""
        headers = [one for one in scope["headers"] if one[0] != b"if-none-match"]
        environ = environ_of({**scope, "method": "GET", "headers": headers}, BytesIO())
        call = Call(self._app, environ)
        parts, more = [], True
        try:
            while more:
                data, more = call.step()
                parts.append(data)
        finally:
            call.close()
        body = b"".join(parts)
        shared = environ.get(NOTE)
        if shared is not None and call.status == 200:
            return _packed(Entry.of(call.headers, body, shared), asked, fill)
        return bare(call.status, call.headers, body, asked), None


def _packed(entry: Entry, asked: Asked, fill: Fill) -> tuple[Ready, Entry]:
    """Also in the codings that others wait for who have come until now."""
    entry = replace(entry, forms=dict(entry.forms))
    for coding in fill.codings.copy() - entry.forms.keys():
        entry.pack(coding)
    return entry.answer(asked), entry
