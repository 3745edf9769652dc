"""The audit log as a file: CSV for spreadsheets, JSON Lines for programs, read part by part and never held whole."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

from flask import Flask

from service.accounts.principal import name_of
from service.audit import queries as audit
from service.audit.models import INSTALL
from service.audit.queries import Asked, Link
from service.comments.schemas import timestamp
from service.pagination import Position

_AT_ONCE = 500
_COLUMNS = ("at", "site", "actor", "name", "action", "subject_id", "reason", "note", "details", "chain", "n", "id")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With these a spreadsheet begins to calculate."""


Rows = list[dict[str, Any]]
Read = Callable[[Position | None], tuple[Rows, Position | None]]


def exported(app: Flask, form: str, keys: Mapping[str, str], asked: Asked) -> Iterator[str]:
    """The lines of a file in the form `csv` or `jsonl`, newest first; whatever fails at once fails before the first.

    `keys`: of the chains that may be seen, the keys of their sites. Each part is read in a context and a transaction
    of its own: nothing is held while somebody takes their time, and the lines may be asked for from any thread.
    """
    read = partial(_part, app, keys, asked)
    first = read(None)
    return _csv(first, read) if form == "csv" else _json(first, read)


def _part(app: Flask, keys: Mapping[str, str], asked: Asked, after: Position | None) -> tuple[Rows, Position | None]:
    with app.app_context():
        page = audit.listed(list(keys), asked, after=after, limit=_AT_ONCE)
        named = cache(name_of)
        return [_row(link, keys, named) for link in page.rows], page.next


def _all(part: tuple[Rows, Position | None], read: Read) -> Iterator[dict[str, Any]]:
    while True:
        rows, after = part
        yield from rows
        if after is None:
            return
        part = read(after)


def _csv(first: tuple[Rows, Position | None], read: Read) -> Iterator[str]:
    yield _line(_COLUMNS)
    for row in _all(first, read):
        yield _line([_cell(row[name]) for name in _COLUMNS])


def _json(first: tuple[Rows, Position | None], read: Read) -> Iterator[str]:
    for row in _all(first, read):
        yield json.dumps(row, ensure_ascii=False) + "\n"


def _row(link: Link, keys: Mapping[str, str], named: Callable[[str], str | None]) -> dict[str, Any]:
    entry, detail = link
    told = detail.details if detail else {}
    return {
        "at": timestamp(entry.at),
        "site": None if entry.chain == INSTALL else keys[entry.chain],
        "actor": entry.actor,
        "name": named(entry.actor),
        "action": entry.action,
        "subject_id": str(entry.subject_id) if entry.subject_id else None,
        "reason": told.get("reason"),
        "note": told.get("note"),
        "details": told if detail else None,
        "chain": entry.chain,
        "n": entry.n,
        "id": str(entry.id),
    }


def _cell(value: Any) -> str:
    """A value as text that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
