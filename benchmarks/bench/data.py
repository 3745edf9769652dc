"""What is said on every server alike: threads of two levels, comments of about 300 characters with some Markdown."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

THREADS = (10, 100, 1_000)
COUNTED = 30
"""Pages with ten comments each, whose counts are asked for together."""
EACH = 3
"""A root and its two replies."""
QUEUE = "/queue/"
WORDS = [f"{first}{last}" for first in "bdfgklmnprst" for last in ("and", "ell", "ing", "ost", "umber", "ave", "ill")]


@dataclass(frozen=True)
class Said:
    """A published comment; `number` begins with 1 and is unique, `parent` is a number."""

    number: int
    page: str
    parent: int | None
    name: str
    email: str
    text: str


def text(number: int) -> str:
    """No two alike."""
    words = random.Random(number).sample(WORDS, 48)
    words[3], words[11], words[20] = f"*{words[3]}*", f"**{words[11]} {words[12]}**", f"`{words[20]}`"
    return f"{' '.join(words[:30])}.\n\n> {' '.join(words[30:38])}\n\n{' '.join(words[38:])}, {number}."


def person(number: int) -> tuple[str, str]:
    """A name and an address."""
    return f"Reader {number}", f"reader{number}@mail.example.org"


def threads() -> Iterator[Said]:
    """Parents before their replies."""
    number = 0
    for page, size in pages().items():
        for place in range(size):
            number += 1
            parent = number - place % EACH if place % EACH else None
            yield Said(number, page, parent, *person(number % 700), text(number))


def pages() -> dict[str, int]:
    return {**{f"/{size}/": size for size in THREADS}, **dict.fromkeys(counted(), 10)}


def counted() -> list[str]:
    return [f"/count-{number}/" for number in range(1, COUNTED + 1)]
