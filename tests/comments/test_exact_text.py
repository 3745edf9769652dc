"""To the letter: the words in which typed text is refused, and where the bounds are."""

from __future__ import annotations

import pytest

from service.comments.plaintext import (
    PlainTextError,
    clean_body,
    clean_line,
    clean_website,
    is_blank,
    mend_line,
    skeleton,
)

SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
SITE = "https://a.example/"


def line(text: str) -> str:
    try:
        return clean_line(text, max_length=80)
    except PlainTextError as refused:
        return f"{refused.code}: {refused.detail}"


def website(url: str) -> str | None:
    try:
        return clean_website(url)
    except PlainTextError as refused:
        return f"{refused.code}: {refused.detail}"


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("a\nb", "line-break: This has to fit on one line."),
        ("a\tb", "control: This holds a control character, which nobody can see. Please remove it."),
        ("a\u200fb", "direction: This holds a mark that turns the direction of writing. Please remove it."),
        ("a\ufffe", "not-a-character: This holds a code that stands for no character. Please remove it."),
        ("a\ue000", "private-use: This holds a character that only some fonts know. Please remove it."),
        ("a\u0316\u0317\u0318\u0319", "marks: At most 3 marks on one letter, please."),
        ("a\u0900\u0901\u0902\u0900", "marks: At most 3 marks on one letter, please."),
        ("a\u20dd\u20dd\u20dd\u20dd", "marks: At most 3 marks on one letter, please."),
        ("", "blank: Please write something here."),
        ("a" * 81, "too-long: At most 80 characters, please. This has 81."),
        ("a" * 5_000, "too-long: At most 80 characters, please. This has 5,000."),
        ("a" + " " * 419, "a"),
        ("a" + " " * 420, "too-long: At most 80 characters, please. This has 421."),
        ("X", "X"),
    ],
)
def test_a_line(typed: str, answer: str) -> None:
    assert line(typed) == answer


@pytest.mark.parametrize(
    ("imported", "mended"),
    [
        (f"X {SCOTLAND}\u200b", f"X {SCOTLAND}"),
        ("x" + "\u0301" * 31 + "\u0316", "x\u0316\u0301\u0301"),
        ("x" + "\u0301" * 32 + "\u0316", "x" + "\u0301" * 3),
        ("\u3164", ""),
    ],
)
def test_a_mended_line(imported: str, mended: str) -> None:
    assert mend_line(imported, max_length=80) == mended


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("\u0316" * 9 + "a", "\u0316" * 8 + "a"),
        ("a" + "\u20dd" * 9, "a" + "\u20dd" * 8),
        ("a" + "\u0900" * 9 + "b", "a" + "\u0900" * 8 + "b"),
        ("X\u202dY", "XY"),
    ],
)
def test_a_body(typed: str, cleaned: str) -> None:
    assert clean_body(typed) == cleaned


@pytest.mark.parametrize(
    ("typed", "detail"),
    [
        ("a\0", "The text holds a code that stands for no character."),
        ("a\udfff", "The text holds a code that stands for no character."),
        (" ", "Please write something first."),
    ],
)
def test_a_body_that_is_refused(typed: str, detail: str) -> None:
    with pytest.raises(PlainTextError) as refused:
        clean_body(typed)
    assert refused.value.detail == detail


@pytest.mark.parametrize("unseen", [" ", "\u2028", "\u2029", "\t", "\u200b", "\u0301", "\u20dd", "\u3164"])
def test_nothing_is_seen(unseen: str) -> None:
    assert is_blank(unseen * 3)
    assert not is_blank(f"{unseen}X")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (SITE.ljust(200, "x"), SITE.ljust(200, "x")),
        (SITE.ljust(201, "x"), "too-long: At most 200 characters, please. This has 201."),
        ("https://a.example:443/".ljust(201, "x"), "too-long: At most 200 characters, please. This has 201."),
        (SITE + "é" * 40, "too-long: At most 200 characters, please. This has 258."),
        (SITE + "'", "website: The address of your site holds a character that does not belong there."),
        (
            "ftp://a.example",
            "website: An address begins with https:// and the name of a host. An example: https://example.org",
        ),
        ("https://localhost", "website: That is not the address of a site on the web, like https://example.org"),
    ],
)
def test_a_website(typed: str, answer: str) -> None:
    assert website(typed) == answer


def test_a_skeleton_is_of_a_thousand_characters() -> None:
    assert skeleton("a" * 1_000 + "b") == skeleton("a" * 1_000)
    assert skeleton("a" * 999 + "b") != skeleton("a" * 999)
