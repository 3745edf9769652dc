"""JSON as it is specified, and nothing that only some parsers take."""

from __future__ import annotations

import json
import math
import re
from typing import NoReturn

_LARGEST_INTEGER = 2**53
# A string is taken whole, closed or not, so the scan looks at every byte once.
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?|[\[\]{}]', re.DOTALL)
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


class BadJSON(ValueError):
    """What was sent is no JSON that we take; `detail` is a sentence for the sender."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def loads(raw: bytes, *, max_depth: int = 20) -> object:
    """The value of a JSON text in UTF-8, as json.loads gives it. Raises BadJSON.

    Refused as well, since readers differ about them: a byte order mark, the same key twice, NaN and Infinity,
    integers beyond 2**53, numbers too large for a float, NUL and lone surrogates in a string or key, and more
    than `max_depth` levels (which is looked at before anything is parsed).
    """
    _refuse_depth(raw, max_depth)
    try:
        value = json.loads(
            _text(raw),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise BadJSON(f"This is not valid JSON: line {error.lineno}, column {error.colno}.") from error
    if b"\\u" in raw:
        _refuse_no_text(value)
    return value


def _refuse_depth(raw: bytes, most: int) -> None:
    if raw.count(b"[") + raw.count(b"{") <= most:
        return
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(raw):
        mark = found.group()[:1]
        if mark in b"[{":
            depth += 1
            if depth > most:
                raise BadJSON(f"The JSON is nested deeper than {most} levels.")
        elif mark in b"]}":
            depth -= 1


def _text(raw: bytes) -> str:
    if raw.startswith(b"\xef\xbb\xbf"):
        raise BadJSON("The JSON begins with a byte order mark. Please send it without.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJSON(f"The JSON is not in UTF-8: see byte {error.start + 1:,}.") from error
    if not text.strip(" \t\r\n"):
        raise BadJSON("The body is empty. It should be JSON.")
    return text


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadJSON("An object in the JSON has the same key twice.")
    return found


def _integer(digits: str) -> int:
    # Python refuses to read thousands of digits, with an error of its own.
    if len(digits) > 17 or abs(int(digits)) > _LARGEST_INTEGER:
        raise BadJSON("A whole number in the JSON is too large: at most 2 to the power of 53.")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise BadJSON("A number in the JSON is too large.")
    return value


def _constant(name: str) -> NoReturn:
    raise BadJSON(f"{name} is no JSON number.")


def _refuse_no_text(value: object) -> None:
    if isinstance(value, str):
        if _NO_TEXT.search(value):
            raise BadJSON("A string in the JSON holds a NUL or half a character (a lone surrogate).")
    elif isinstance(value, list):
        for item in value:
            _refuse_no_text(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_no_text(key)
            _refuse_no_text(item)
