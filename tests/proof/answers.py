"""An answer without what is new each time, so that two answers to the same question can be compared."""

from __future__ import annotations

import re

from werkzeug.wrappers import Response

_FRESH = re.compile(
    r"""(?:csrf_token|form_token)"[^>]*\ value="[^"]*"   # a token of a form
    | "token":"[\w-]+\.[\w-]+\.[\w-]+"               # the same, as JSON
    | "X-CSRFToken":\ "[^"]*"
    | [0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}      # an id, a word or a digest
    | \d{4}-\d\d-\d\d[T ][\d:.]+                         # a moment
    | "(?:p50|p95|oldest)":\s?[\d.]+                      # how long something waits
    | just\ now | \d+\ seconds?\ ago | W/"[^"]+" | "[0-9a-f]{40}"
    """,
    re.VERBOSE,
)
_NEW_EACH_TIME = ("X-Request-Id", "Set-Cookie", "Content-Length", "Date", "Expires")


def told(answer: Response) -> str:
    """Status, headers and body, with a dot in place of all that is drawn anew or counts time."""
    headers = [f"{name}: {value}" for name, value in answer.headers if name not in _NEW_EACH_TIME]
    return _FRESH.sub("…", "\n".join([str(answer.status_code), *sorted(headers), answer.get_data(as_text=True)]))


def difference(one: str, other: str) -> str:
    """The first line in which two of them differ."""
    pairs = zip(one.splitlines(), other.splitlines(), strict=False)
    return next((f"{a[:200]!r} became {b[:200]!r}" for a, b in pairs if a != b), "another length")
