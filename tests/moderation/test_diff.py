"""Where two texts differ: exact, and quick whatever the texts are."""

from __future__ import annotations

import random
import time

import pytest

from service.moderation.diff import differences


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (
            "The second season.",
            "The third season.",
            [["=", "The "], ["-", "second"], ["+", "third"], ["=", " season."]],
        ),
        ("One.", "One. Two.", [["=", "One."], ["+", " Two."]]),
        ("One. Two.", "Two.", [["-", "One. "], ["=", "Two."]]),
        ("Same.", "Same.", [["=", "Same."]]),
        ("", "New", [["+", "New"]]),
        ("a b c d", "a x c y", [["=", "a "], ["-", "b"], ["+", "x"], ["=", " c "], ["-", "d"], ["+", "y"]]),
        ("so any more.", "so I have seen.", [["=", "so "], ["-", "any more"], ["+", "I have seen"], ["=", "."]]),
        ("aa", "a", [["-", "aa"], ["+", "a"]]),
        ("a a", "a a a", [["=", "a a"], ["+", " a"]]),
    ],
)
def test_words_that_differ_are_told(old: str, new: str, found: list[list[str]]) -> None:
    assert differences(old, new) == found


def put_together(pieces: list[list[str]], but: str) -> str:
    return "".join(text for what, text in pieces if what != but)


def _texts() -> list[tuple[str, str]]:
    """Of the longest that is taken: what a comparison of words takes longest for."""
    chance = random.Random(7)
    words = [f"{n:x}" for n in range(2_500)]
    shuffled = chance.sample(words, len(words))
    return [
        ("a " * 5_000, "b " + "a " * 4_999),
        (" ".join(words)[:10_000], " ".join(shuffled)[:10_000]),
        ("x\n" * 5_000, "\n".join("xy"[n % 2] for n in range(5_000))),
        ("ab" * 5_000, "ba" * 5_000),
        (" ".join(words)[:10_000], " y ".join(words)[:10_000]),
        (
            "".join(chance.choice("ab \n") for _ in range(10_000)),
            "".join(chance.choice("ab \n") for _ in range(10_000)),
        ),
        ("<" * 10_000, ">" * 10_000),
        ("a " * 500 + "z " * 499, "z " * 499 + "a " * 500),
    ]


@pytest.mark.parametrize(("old", "new"), _texts())
def test_both_texts_can_be_put_together_again_and_nobody_waits(old: str, new: str) -> None:
    begun = time.process_time()
    pieces = differences(old, new)
    assert time.process_time() - begun < 2
    assert put_together(pieces, "+") == old
    assert put_together(pieces, "-") == new
