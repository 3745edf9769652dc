"""A cache that stands between everybody and the app, such as a proxy of the house or of a network.

It keeps whatever nothing forbids (RFC 9111), also what is merely silent about it, and knows callers apart by
nothing but the headers that `Vary` names. What leaks through it is the fault of the answers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from flask.testing import FlaskClient
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from .world import sent

SILENT = (200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501)
"""What may be kept although it says nothing of how long."""
A_WHILE = 60.0
"""Seconds for which such an answer is kept."""


@dataclass
class Kept:
    """An answer, and the headers of the request on which it depends."""

    answer: Response
    by: dict[str, str | None]
    until: float

    def fits(self, headers: Headers) -> bool:
        return "*" not in self.by and all(headers.get(name) == value for name, value in self.by.items())

    def has_any(self, keys: Collection[str]) -> bool:
        return not set(keys).isdisjoint(self.answer.headers.get("Surrogate-Key", "").split())


class SharedCache:
    """GET only. `now`: seconds, which pass when a test says so; `hits`: answers for which the app was not asked."""

    def __init__(self, client: FlaskClient) -> None:
        self.client, self.now, self.hits, self.confirmed = client, 0.0, 0, 0
        self.kept: dict[str, list[Kept]] = {}

    def get(self, path: str, headers: Mapping[str, str]) -> Response:
        asked = Headers(headers)
        found = next((one for one in self.kept.get(path, []) if one.fits(asked)), None)
        if found and found.until > self.now:
            self.hits += 1
            return _copy(found.answer)
        if found and "ETag" in found.answer.headers:
            asked["If-None-Match"] = found.answer.headers["ETag"]
        answer = sent(self.client, path, headers=asked)
        if found and answer.status_code == 304:
            self.confirmed += 1
            for name in {name for name, _ in answer.headers}:
                found.answer.headers.setlist(name, answer.headers.getlist(name))
            found.until = self.now + _lifetime(found.answer)
            return _copy(found.answer)
        if found:
            self.kept[path].remove(found)
        self._keep(path, asked, answer)
        return _copy(answer)

    def purge(self, keys: Collection[str]) -> int:
        """Forget every answer that has one of these surrogate keys; how many that were."""
        gone = [(path, one) for path, kept in self.kept.items() for one in kept if one.has_any(keys)]
        for path, one in gone:
            self.kept[path].remove(one)
        return len(gone)

    def _keep(self, path: str, asked: Headers, answer: Response) -> None:
        orders = _orders(answer)
        says = {"max-age", "s-maxage"} & orders.keys()
        if {"no-store", "private"} & orders.keys() or not (says or answer.status_code in SILENT):
            return
        by = {name.lower(): asked.get(name) for name in answer.vary}
        self.kept.setdefault(path, []).append(Kept(_copy(answer), by, self.now + _lifetime(answer)))


def _lifetime(answer: Response) -> float:
    orders = _orders(answer)
    if "no-cache" in orders:
        return 0.0
    told = orders.get("s-maxage") or orders.get("max-age")
    return float(told) if told else A_WHILE


def _orders(answer: Response) -> dict[str, str]:
    """Cache-Control by its words; a word of one field alone, as in private="Set-Cookie", is of the whole here."""
    return dict(re.findall(r'([a-z-]+)(?:="?([^",]*)"?)?', answer.headers.get("Cache-Control", "").lower()))


def _copy(answer: Response) -> Response:
    return Response(answer.get_data(), answer.status_code, Headers(list(answer.headers)))
