"""No text, however hostile, keeps the renderer busy or swells to megabytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import product

import pytest

from service.comments.plaintext import PlainTextError, clean_body, mend_line, skeleton
from service.comments.rendering import render, text_of

from . import pathological
from .ledger import Proof
from .pathological import LONGEST, processor_time

MOST_SECONDS = 0.25
LARGEST_GROWTH = 20


def repeated(unit: str, length: int = LONGEST) -> str:
    return pathological.repeated(unit, length)


def halves(first: str, second: str) -> str:
    return repeated(first, LONGEST // 2) + repeated(second, LONGEST // 2)


MARKDOWN = {
    **{f"many {unit!r}": repeated(unit) for unit in [
        "[", "]", "![", "[]", "[](", "[a](", "[a](b", "[a](<b", "[a](b \"", "[a][", "[[a]](", "[\n", "[a\n", "[a]: b\n",
        "(", "[a](((", "*", "_", "**a ", "*a_ ", "a**b*c ", "***a ", "~~", "~~a ", "`", "`a``b```", "```\n", "~~~\n",
        "> ", "> > ", "> - ", "- ", "1. ", "* a\n", "- a\n\n", "  - a\n", ">\n", "> a\n", "# a\n", "a\n===\n", "---\n",
        "    a\n", "<", "<a ", "<!--", "<http://", "<a@", "<a@b.c>", "&", "&#", "&#1;", "\\", "\\*", "a  \n", "a\n\n",
        "http://", "https://a.b ", "https://a.b/(", "https://a.b/[", "http://a:1", "https://é*", "://", "b://", ":",
        "@", "xn--a.", "http://xn--a.", "a.", "www.a.b ", "a@b.c ", "\u0301\u0316", "漢字", "😀",
    ]},
    "lazy lines under deep quotes": ">" * 40 + "a\n" + repeated("b\n", LONGEST - 42),
    "lazy lines under allowed quotes": (">" * 8 + "a\n" + repeated("b\n", 600)) * 16,
    "lists in lists": "\n".join("  " * level + "- a" for level in range(96)),
    "quotes in lists": repeated("- > " * 4 + "a\n"),
    "growing backticks": "".join("e" + "`" * count for count in range(140)),
    "brackets opened, then closed": halves("[", "](b)"),
    "emphasis opened, then closed": halves("*a ", "a* "),
    "emphasis crossed": halves("a**b ", "c* "),
    "one long host": "http://" + repeated("a.", LONGEST - 7),
    "one long foreign host": "[a](http://" + repeated("éü", LONGEST - 12) + ")",
    "one long path": "https://a.b/" + repeated("(a", LONGEST - 12),
    "a long definition used often": "[a]: /" + repeated("u", 5_000) + "\n\n" + repeated("[a]", 4_900),
    "a link with a long space": "[a](" + " " * 9_900 + "b",
    "a heading with a long tail": "# a" + repeated(" #", LONGEST - 3),
    "links then closing brackets": halves("https://é*", ":]"),
}  # fmt: skip

FOREIGN = {
    **{f"many {unit!r}": repeated(unit) for unit in [
        "<", "<a", "<a ", "<!--", "&", "&am", "&notin", "<a href='", "<script>", "<style><!--", "<title>", "</p>",
        "<li>", "<div>", "<blockquote>", "<ul><li>", "<ul ", "<table><tr><td>", "<table>a<b>", "<b><p></b>",
        "<a><div></a>", "<svg><g>",
        "<math><mi><p>", "<select><option>", "<template>", "<h1><h2>", "<pre>\n", "<p>a", "\n", "\n \n", "<b ",
    ]},
    "formatting with attributes": "<p>" + "".join(f"<b {n}>" for n in range(600)) + repeated("<p>x", 5_000),
    "all formatting, many paragraphs": "<p>" + "<b><i><code><s><em><strong><u><tt><small><big><font><strike>" * 3
        + repeated("<p>x", 9_000),
    "misnested": "".join(f"<b {n}>" for n in range(500)) + repeated("<div>", 2_500) + repeated("</b>", 3_000),
    "spans and stray ends": repeated("<span>", 5_000) + repeated("</x>", 5_000),
    "one tag of many attributes": "<a " + "".join(f"a{n} " for n in range(1_600)),
}  # fmt: skip

CASES = [("md", name) for name in MARKDOWN] + [("html", name) for name in FOREIGN]


def faults(name: str, act: Callable[[], object], most: float = MOST_SECONDS) -> Iterator[str]:
    seconds = processor_time(act, enough=most)
    if seconds > most:
        yield f"{name}: {seconds * 1000:.0f} ms"


def swells(body: str, shown: str) -> bool:
    return len(shown) > LARGEST_GROWTH * (len(body) + 100)


def bodies() -> Iterator[tuple[str, str, str]]:
    """What it is called, the text, and its format."""
    for body_format, name in CASES:
        body = (MARKDOWN if body_format == "md" else FOREIGN)[name]
        assert 8_000 <= len(body) <= 10_700
        yield f"{name} as {body_format}", body, body_format


@pytest.mark.figure("14", quick=100, full=100)
def test_no_hostile_text_swells(proof: Proof) -> None:
    for name, body, body_format in bodies():
        proof.case(*([f"{name} swells"] if swells(body, render(body, body_format)) else []))


@pytest.mark.full
@pytest.mark.alone
@pytest.mark.figure("14", quick=0, full=100)
def test_every_hostile_text_is_rendered_in_time(proof: Proof) -> None:
    for name, body, body_format in bodies():
        proof.case(*faults(name, partial(render, body, body_format)))


@pytest.mark.full
@pytest.mark.alone
@pytest.mark.figure("14", quick=0, full=20)
def test_much_longer_ones_are_rendered_and_cleaned_in_step_with_their_length(proof: Proof) -> None:
    """Imports may have them. Twenty times as long, and ten times, so twice and four times the time is little."""

    def clean(text: str) -> None:
        with suppress(PlainTextError):
            clean_body(text)
        mend_line(text, max_length=80)
        skeleton(text)

    for unit, body_format in product(["[", "<b 1>", "<p>a\n\n", "> - ", "&#9", "<!--"], ["md", "html"]):
        body = repeated(unit, 200_000)
        proof.case(*faults(f"much {unit!r} as {body_format}", partial(render, body, body_format), 2 * MOST_SECONDS))
    for unit in ["\u0301\u0316", "\u302e\u0334", "a\u0301", "\u200d", "م\u200d", " ", "\n ", "\u0958"]:
        proof.case(*faults(f"cleaning {unit!r}", partial(clean, repeated(unit, 100_000)), 4 * MOST_SECONDS))
    sanitised = render("a & b\n\n" * 100_000)
    assert text_of(sanitised, 11) == "a & b a &…"
    proof.case(*faults("a summary", partial(text_of, sanitised, 11)))


@pytest.mark.control("14")
def test_a_text_that_swells_and_one_that_takes_its_time_are_seen() -> None:
    assert swells("a", "a" * 3_000)

    def slowly() -> None:
        until = time.thread_time() + 0.02
        while time.thread_time() < until:
            pass

    assert list(faults("slow", slowly, 0.01))
    assert not list(faults("quick", lambda: None, 0.01))
