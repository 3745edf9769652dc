"""Imported HTML looks as it did where it came from; the words of any HTML can be had as text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.comments.rendering import render, text_of

from .detector import REL, violations

ALWAYS = settings(deadline=None)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("one\ntwo\n\nthree", "<p>one<br>\ntwo\n</p><p>three</p>"),
        ("one<br />\ntwo<br>\nthree", "<p>one<br>\ntwo<br>\nthree</p>"),
        ("a\r\n\r\nb", "<p>a\n</p><p>b</p>"),
        ("<p>one\ntwo</p><p>three</p>", "<p>one\ntwo</p><p>three</p>"),
        ("<blockquote>he\n</blockquote>\n\nyes\nno", "<blockquote><p>he</p></blockquote><p>yes<br>\nno</p>"),
        ("<b>a\n\nb</b>", "<p><b>a\n</b></p><p><b>b</b></p>"),
        ("<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n\nc", "<ul><li>a</li><li>b</li></ul><p>c</p>"),
        ("<pre>a\n\nb</pre>", "<pre>a\n\nb</pre>"),
        ("<h2>Head</h2>text", "<p><strong>Head</strong></p><p>text</p>"),
        ("<div>a</div><div>b</div>", "<p>a</p><p>b</p>"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "<p>a</p><p>b</p>"),
        ("a &amp; b < c", "<p>a &amp; b &lt; c</p>"),
        ("x<img src=y>z<script>w</script>", "<p>xz</p>"),
        ("", ""),
    ],
)  # fmt: skip
def test_html_looks_as_it_did_where_it_came_from(body: str, wanted: str) -> None:
    assert render(body, "html") == wanted


def test_html_gives_every_link_the_same_rel() -> None:
    assert render('<a href="https://x.example" rel="follow" target="_top">x</a>', "html") == (
        f'<p><a href="https://x.example" rel="{REL}">x</a></p>'
    )


def test_html_nested_beyond_reason_is_shown_as_plain_text() -> None:
    assert render("<blockquote>" * 60 + "x", "html") == "<p>x</p>"
    assert render("<blockquote>" * 6 + "x", "html").count("<blockquote>") == 6


def test_html_that_would_swell_to_megabytes_is_shown_as_plain_text() -> None:
    body = "<p>" + "".join(f"<b {number}>" for number in range(600)) + "<p>x" * 1_200
    assert len(render(body, "html")) < 20_000


def test_html_too_long_to_parse_keeps_its_words_and_loses_its_tags() -> None:
    body = "<p>caf&eacute; <b>&lt;3</b></p><script>" * 1_000 + "&#" + "9" * 5_000 + ";"
    shown = render(body, "html")
    assert violations(shown) == []
    assert shown.startswith("<p>café &lt;3</p>")
    assert text_of(shown).count("café <3") == 1_000


@ALWAYS
@given(st.lists(st.sampled_from(["<p>", "</p>", "<b>", "<pre>", "</pre>", "<ul>", "<li>", "\n", "\n\n", "<h1>"])))
def test_html_keeps_every_word(marks: list[str]) -> None:
    body = "".join(f"{mark}word{number}z" for number, mark in enumerate(marks))
    assert all(f"word{number}z" in render(body, "html") for number in range(len(marks)))


def test_the_text_of_a_comment_is_one_line_with_spaces_between_blocks() -> None:
    assert text_of(render("# One\ntwo\nthree\n\n- four\n- five")) == "One two three four five"
    assert text_of(render("<p>a</p><p>b</p><ul><li>c</li><li>d</li></ul>", "html")) == "a b c d"


def test_the_text_has_its_entities_read_once() -> None:
    assert text_of(render("1 < 2 & `&lt;b&gt;`")) == "1 < 2 & &lt;b&gt;"


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [(None, "one two three"), (13, "one two three"), (12, "one two…"), (8, "one two…"), (7, "one…"), (2, "o…")],
)
def test_the_text_is_cut_between_words(limit: int | None, wanted: str) -> None:
    assert text_of("<p>one two three</p>", limit) == wanted


@ALWAYS
@given(st.text(), st.integers(1, 60))
def test_the_text_is_never_longer_than_asked(body: str, limit: int) -> None:
    assert len(text_of(render(body), limit)) <= limit


@pytest.mark.parametrize("body", ["x" * 100_000, "& " * 60_000, "[a](https://b.example) " * 800])
def test_the_text_of_very_much_is_cut_too(body: str) -> None:
    assert text_of(render(body), 20)[:3] == text_of(render(body[:2_300]), 20)[:3]
    assert len(text_of(render(body), 20)) > 15


def test_the_text_holds_no_tag_that_was_not_text() -> None:
    assert text_of(render("<p>a<script>b</script></p>", "html")) == "a"
