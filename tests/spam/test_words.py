"""Lists of words: what they find, what they do not, and how long a text takes however long they are."""

from __future__ import annotations

import time

import pytest

from service.spam.rules import Facts
from service.spam.verdict import judge
from service.spam.words import LONGEST_PHRASE, Lists, compiled

CASES = {
    ("casino", "Our CASINO, today"): "casino",
    ("casino", "Kasino, casinos"): None,
    ("casin*", "All casinos here"): "casin*",
    ("casin*", "casi"): None,
    ("cheap pills", "Cheap\n\npills!"): "cheap pills",
    ("cheap pills", "cheap blue pills"): None,
    ("cheap pill*", "so cheap, pills"): "cheap pill*",
    ("Straße", "in der STRASSE"): "Straße",
    ("cafe", "Das CAFÉ"): "cafe",
    ("o'brien", "Miss O’Brien"): "o'brien",
    ("ass", "a class of assets"): None,
    ("漢字", "漢字"): "漢字",
    ("*", "anything"): None,
    ("...", "..."): None,
    ("a b c d e f g h", "a b c d e f g h"): "a b c d e f g h",
}


@pytest.mark.parametrize(("entry", "text"), CASES)
def test_a_word_is_found_whole_and_folded(entry: str, text: str) -> None:
    assert compiled([entry]).found_in(text) == CASES[entry, text]


def test_an_empty_list_finds_nothing() -> None:
    assert compiled([]).found_in("casino") is None and Lists().spam.found_in("casino") is None


def test_of_several_the_first_in_the_text_is_told() -> None:
    assert compiled(["two", "one"]).found_in("one and two") == "one"


def test_a_long_list_takes_no_longer_than_a_short_one() -> None:
    """Look-ups alone: a list of 50,000 entries is as quick as one of a hundred, but for what a cache does."""
    text = " ".join(f"word{n}" for n in range(1_500))
    short = compiled([*(f"never{n}" for n in range(98)), "three words each", "begin*"])
    long = compiled([*(f"never{n}" for n in range(49_998)), "three words each", "begin*"])
    assert seconds(long, text) < 5 * seconds(short, text) + 0.05


def test_one_endless_word_is_quick() -> None:
    assert seconds(compiled(["a" * 100 + "*", " ".join("a" * LONGEST_PHRASE)]), "a" * 10_000) < 0.5


def seconds(words: object, text: str) -> float:
    """The best of three."""
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        words.found_in(text)  # type: ignore[attr-defined]
        taken.append(time.perf_counter() - begun)
    return min(taken)


def test_a_word_of_spam_is_spam_and_a_held_one_waits() -> None:
    lists = Lists(hold=compiled(["perhaps"]), spam=compiled(["casino"]))
    told = {
        text: (judged.status, [one.code for one in judged.findings])
        for text in ("Plain.", "Perhaps.", "Perhaps a casino.")
        for judged in [judge(Facts(body=text, mode="post", lists=lists))]
    }
    assert told == {
        "Plain.": ("approved", []),
        "Perhaps.": ("pending", ["held-word"]),
        "Perhaps a casino.": ("spam", ["spam-word", "held-word"]),
    }


def test_the_name_is_read_too() -> None:
    lists = Lists(spam=compiled(["casino"]))
    assert judge(Facts(body="Plain.", name="Casino Royal", mode="post", lists=lists)).status == "spam"
