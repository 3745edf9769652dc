"""Hostile markup: the lists of others, read in place, and our own; and how several of them share one text."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from service.comments.plaintext import PlainTextError, clean_body, clean_line
from service.comments.rendering import render
from tests.comments.test_rendering import PAYLOADS
from tests.support import FULL

_LISTS = ("fuzzdb/xss", "fuzzdb/event_attributes", "payloadsallthethings/xss", "payloadsallthethings/xss_readme",
          "blns/strings")  # fmt: skip
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What every door refuses (figure 5): there would be nothing to read back."""

WORST = [
    "</textarea></title></style></script><svg onload=alert(1)>",
    "\"'><img src=x onerror=alert(1)>",
    "' autofocus onfocus=alert(1) x='",
    "]]><iframe srcdoc='<script>alert(1)</script>'>",
    "{{ 7*7 }}{% raw %}",
    "<div hx-get=/desk/sign-out hx-trigger=load data-hx-get=/x>",
    "<!--<script>",
    "&lt;img src=x onerror=alert(1)&gt; &amp;lt;b&amp;gt;",
    "&#x3c;script&#x3e;alert(1)&#x3c;/script&#x3e;",
    "a&b<c>d\"e'f`g\\h",
    "</b><p>&copy&AMP;",
]
"""What breaks out of each place that our pages have; always among the payloads, however few are asked for."""


def payloads(shared: Path, few: int) -> list[str]:
    """All of them at full size, else a `few` and always the same ones. No two are equal."""
    listed = [one["p"] for one in json.loads((shared / "corpora/combined/xss_permissive.json").read_text())]
    for name in _LISTS:
        listed += json.loads((shared / f"corpora/{name}.json").read_text())
    everything = [one for one in dict.fromkeys([*WORST, *PAYLOADS, *listed]) if not _NO_TEXT.search(one)]
    return everything if FULL else [*WORST, *random.Random(1).sample(everything, few)]


def beginnings(found: Iterable[str], length: int) -> list[str]:
    """The payloads as far as they fit into a short field, each once."""
    return list(dict.fromkeys(one[:length].strip() for one in found if one[:length].strip()))


def lines(found: Iterable[str], length: int) -> Iterator[list[str]]:
    """Payloads that fit into one line of so many characters together.

    None of them can hide another there: such a text has to come back whole, and then no part of it became markup.
    """
    pack: list[str] = []
    for one in beginnings(found, length):
        if pack and len(" ".join([*pack, one])) > length:
            yield pack
            pack = []
        pack.append(one)
    if pack:
        yield pack


def bodies(found: Iterable[str], length: int) -> Iterator[list[str]]:
    """Payloads that fit into one Markdown text as blocks of their own.

    None of them hides another: those that change what their neighbours become, such as an open fence, part.
    """
    pack: list[str] = []
    for one in filter(_has_words, found):
        if pack and len("\n\n".join([*pack, one])) > length:
            yield from _apart(pack)
            pack = []
        pack.append(one)
    yield from _apart(pack)


def _has_words(text: str) -> bool:
    """Whether anything of it can be seen: else it is refused."""
    try:
        return bool(clean_body(text))
    except PlainTextError:
        return False


def html_of(pack: Iterable[str]) -> str:
    """What blocks of a text become when none changes what another one becomes."""
    return "".join(render(clean_body(one)) for one in pack)


def _apart(pack: list[str]) -> Iterator[list[str]]:
    if len(pack) < 2 or render(clean_body("\n\n".join(pack))) == html_of(pack):
        yield from [pack] if pack else []
        return
    middle = len(pack) // 2
    yield from _apart(pack[:middle])
    yield from _apart(pack[middle:])


def written(packs: Iterable[list[str]], write: Callable[[str], bool]) -> int:
    """Write each line of packed payloads; one that is refused is tried in halves. How many were taken.

    What is refused proves nothing about what is shown, so no door may refuse a payload that is a good line of text.
    """
    taken = 0
    waiting = list(packs)
    while waiting:
        pack = waiting.pop()
        if write(" ".join(pack)):
            taken += len(pack)
        elif len(pack) == 1:
            assert not is_a_line(pack[0]), f"{pack[0]!r} is refused"
        else:
            waiting += [pack[: len(pack) // 2], pack[len(pack) // 2 :]]
    return taken


def is_a_line(text: str) -> bool:
    """Whether it holds nothing that some line of words is refused for: controls, and what nobody can see."""
    try:
        return text.isprintable() and bool(clean_line(text, max_length=len(text)))
    except PlainTextError:
        return False
