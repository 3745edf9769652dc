"""What is kept of an answer."""

from __future__ import annotations

import pytest

from service.outbound.answers import KEPT, excerpt_of, wait_of

DATE = "Sun, 29 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        (b"Thanks.\n\tAll is well.\r\n", "Thanks.\n\tAll is well.\n"),
        ("Grüße 漢字 😀".encode(), "Grüße 漢字 😀"),
        (b"a\0b\x1b[31m\x7f\r\x07", "a␀b␛[31m␡␍␇"),
        ("\x85\u202e\u200b\ufeff\u2028\ue000\ufffe".encode(), r"\u0085\u202e\u200b\ufeff\u2028\ue000\ufffe"),
        (b"\xff\xfe caf\xe9 x", "\ufffd\ufffd caf\ufffd x"),
        (b"<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_what_cannot_be_seen_or_read_is_made_visible(body: bytes, text: str) -> None:
    assert excerpt_of(body) == text


def test_the_beginning_is_kept() -> None:
    assert excerpt_of(b"a" * KEPT + b"b") == "a" * KEPT
    # A character that does not fit in is left out, as are signs for characters that would make the text longer.
    assert excerpt_of(b"a" * (KEPT - 1) + "é".encode()) == "a" * (KEPT - 1)
    assert len(excerpt_of("\u202e".encode() * KEPT)) == KEPT


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        (None, DATE, None),
        ("0", None, 0.0),
        ("120", None, 120.0),
        (" 120 ", DATE, 120.0),
        ("999999999", None, 999_999_999.0),
        ("9999999999", None, None),
        ("-1", None, None),
        ("1.5", None, None),
        ("٣", None, None),
        ("", DATE, None),
        ("soon", DATE, None),
        ("Sun, 29 Nov 2026 10:02:00 GMT", DATE, 120.0),
        ("Sunday, 29-Nov-26 10:02:00 GMT", DATE, 120.0),
        ("Sun, 29 Nov 2026 09:00:00 GMT", DATE, 0.0),
        ("Sun, 29 Nov 2026 10:02:00 GMT", None, None),
        ("Sun, 29 Nov 2026 10:02:00 GMT", "today", None),
        ("Sun, 29 Nov 2026 10:02:00 -0000", DATE, None),
        ("Sun, 99 Nov 2026 10:02:00 GMT", DATE, None),
        ("Sun, 29 Nov 99999999999999999999 10:02:00 GMT", DATE, None),
    ],
)
def test_a_wait_is_seconds_or_a_date(retry_after: str | None, date: str | None, seconds: float | None) -> None:
    assert wait_of(retry_after, date) == seconds
