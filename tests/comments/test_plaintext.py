"""Names and bodies as people type them: refused with a sentence, or put right."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.comments.plaintext import (
    PlainTextError,
    clean_body,
    clean_line,
    is_blank,
    mend_line,
)

ANYTHING = st.text(st.characters(exclude_categories=()))
TRICKY = st.lists(
    st.sampled_from(
        [*"aé漢م👩🏽\u200d\u200c\u200b\u00ad\ufeff\u202e\u200f\u0301\u0316\u0323\u302e\u0958\u212a \t\n\x00"]
        + [
            "\u3164",
            "\u2800",
            "\u115f",
            "\ud800",
            "\ue000",
            "\ufffe",
            "\U0001fffe",
            "\u2028",
            "\xa0",
            "\u3000",
            "🏴\U000e0067\U000e007f",
            "ﬁ",
            "Ａ",
        ]
    )
).map("".join)
ALWAYS = settings(deadline=None, max_examples=200)

FAMILY = "👩\u200d👩\u200d👧"
SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


def refused(text: str, max_length: int = 80) -> str:
    with pytest.raises(PlainTextError) as caught:
        clean_line(text, max_length=max_length)
    assert caught.value.detail == str(caught.value)
    assert caught.value.detail.endswith(".")
    return caught.value.code


class TestLines:
    @pytest.mark.parametrize(
        "name",
        [
            "Zoë",
            "Ольга Иванова",
            "王小明",
            "José María",
            "O'Brien",
            'J. "Jay" Doe',
            "<b>Bob</b>",
            "Nguyễn Thị Minh Khai",
        ]
        + ["می\u200cخواهم", "क्\u200dष", FAMILY, SCOTLAND, "1\ufe0f\u20e3", "👍🏽", "שָׁלוֹם", "ป้ำ", "=1+1", "a@b.example"],
    )
    def test_with_names_of_any_script_stay_as_they_are(self, name: str) -> None:
        assert clean_line(name, max_length=80) == unicodedata.normalize("NFC", name)

    @pytest.mark.parametrize(
        ("typed", "wanted"),
        [
            ("  Bob \xa0\u3000 Doe  ", "Bob Doe"),
            ("Zoe\u0308", "Zoë"),
            ("\ufeffBo\u200bb\u00ad\u2060", "Bob"),
            ("Bo\u200db", "Bob"),
            ("\u200dBob\u200c", "Bob"),
            ("م\u200d", "م"),
            ("a\U000e0067b", "ab"),
            ("\u212a", "K"),
        ],
    )
    def test_lose_what_nobody_can_see(self, typed: str, wanted: str) -> None:
        assert clean_line(typed, max_length=80) == wanted

    @pytest.mark.parametrize(
        ("typed", "code"),
        [
            ("", "blank"), ("   ", "blank"), ("\u200b\u200d", "blank"), ("\u3164", "blank"), ("\u2800 \u115f", "blank"),
            ("\uffa0\u1160", "blank"), ("\u0301", "blank"), ("\u00ad", "blank"), ("\ufe0f", "blank"),
            ("a\nb", "line-break"), ("a\r", "line-break"), ("a\u2028b", "line-break"), ("a\x85b", "line-break"),
            ("a\x0bb", "line-break"), ("a\tb", "control"), ("a\x00", "control"), ("a\x1b[31m", "control"),
            ("a\x9f", "control"), ("a\u202eb", "direction"), ("\u200fa", "direction"), ("a\u2066b\u2069", "direction"),
            ("a\u061c", "direction"),
            ("a\ud800", "not-a-character"), ("a\ufffe", "not-a-character"), ("a\ufdd0", "not-a-character"),
            ("a\U0010ffff", "not-a-character"), ("a\ue000", "private-use"), ("a\U000f0000", "private-use"),
            ("Z\u0316\u0317\u0318\u0319", "marks"), ("a" * 81, "too-long"), ("a\u0301" * 81, "too-long"),
            ("a" + "\u0301\u0316" * 200_000, "too-long"),
        ],
    )  # fmt: skip
    def test_that_would_disturb_others_are_refused(self, typed: str, code: str) -> None:
        assert refused(typed) == code

    def test_are_measured_in_characters_of_the_result(self) -> None:
        assert len(clean_line("e\u0301" * 80 + "  ", max_length=80)) == 80
        assert len(clean_line("a\u0316\u0317\u0318" * 20, max_length=80)) == 80
        assert refused("e\u0301" * 81) == "too-long"

    @ALWAYS
    @given(ANYTHING | TRICKY)
    def test_once_clean_stay_clean(self, text: str) -> None:
        try:
            line = clean_line(text, max_length=40)
        except PlainTextError:
            return
        assert clean_line(line, max_length=40) == line
        assert len(line.splitlines()) == 1
        assert unicodedata.is_normalized("NFC", line)

    def test_of_the_naughty_are_all_answered(self, shared: Path) -> None:
        texts = json.loads((shared / "corpora/blns/strings.json").read_text())
        texts += json.loads((shared / "corpora/fuzzdb/unicode.json").read_text())
        assert len(texts) >= 600
        mended = [mend_line(text, max_length=80, fallback="Anonymous") for text in texts]
        assert [line for line in mended if clean_line(line, max_length=80) != line] == []


class TestMending:
    @pytest.mark.parametrize(
        ("imported", "wanted"),
        [
            (" Bob\r\nDoe\t! ", "Bob Doe !"),
            ("a\u202eb\x00c\ue000\ud800\ufffe", "abc"),
            ("Z\u0316\u0317\u0318\u0319\u031a", "Z\u0316\u0317\u0318"),
            ("A" + "\u0300" * 4, "\u00c0" + "\u0300" * 3),
            ("A" + "\u0300" * 10_000, "\u00c0" + "\u0300" * 3),
            ("x" * 90, "x" * 80),
            ("x" * 79 + " y", "x" * 79),
            ("\u3164", "Anonymous"),
            ("", "Anonymous"),
        ],
    )
    def test_leaves_out_what_cannot_stay(self, imported: str, wanted: str) -> None:
        assert mend_line(imported, max_length=80, fallback="Anonymous") == wanted

    @ALWAYS
    @given(ANYTHING | TRICKY, st.integers(1, 20))
    def test_makes_a_line_that_is_clean(self, text: str, length: int) -> None:
        line = mend_line(text, max_length=length)
        assert len(line) <= length
        assert line == "" or clean_line(line, max_length=length) == line

    @ALWAYS
    @given(ANYTHING | TRICKY)
    def test_agrees_with_cleaning_where_that_is_possible(self, text: str) -> None:
        try:
            line = clean_line(text, max_length=40)
        except PlainTextError:
            return
        assert mend_line(text, max_length=40) == line


class TestBodies:
    @pytest.mark.parametrize(
        ("typed", "wanted"),
        [
            ("a\r\nb\rc\u2028d\x0be", "a\nb\nc\nd\ne"),
            ("    code\n\tmore  \n\n", "    code\n\tmore"),
            ("\n \n  a", "  a"),
            ("a\x07\x1b[31mb\x9f\ufffe", "a[31mb"),
            ("a\u202eb\u200fc\u200bd", "ab\u200fc\u200bd"),
            ("e\u0301", "é"),
            (FAMILY + " می\u200cخواهم", FAMILY + " می\u200cخواهم"),
            ("a" + "\u0316" * 100, "a" + "\u0316" * 8),
        ],
    )
    def test_keep_their_lines_and_lose_controls(self, typed: str, wanted: str) -> None:
        assert clean_body(typed) == wanted

    @pytest.mark.parametrize(
        ("typed", "code"),
        [
            ("", "blank"),
            (" \n\t", "blank"),
            ("\u200b\u2060\n\u3164", "blank"),
            ("\u0301\u0301", "blank"),
            ("\x07", "blank"),
        ]
        + [("a\x00", "not-a-character"), ("a\ud800", "not-a-character")],
    )
    def test_without_words_are_refused(self, typed: str, code: str) -> None:
        with pytest.raises(PlainTextError, match=r"\.$") as caught:
            clean_body(typed)
        assert caught.value.code == code

    @ALWAYS
    @given(ANYTHING | TRICKY)
    def test_once_clean_stay_clean(self, text: str) -> None:
        try:
            body = clean_body(text)
        except PlainTextError:
            return
        assert clean_body(body) == body
        assert not is_blank(body)
