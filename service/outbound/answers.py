"""What is kept of an answer: the beginning of its text, and how long it asks to wait."""

from __future__ import annotations

import codecs
import re
import unicodedata
from email.utils import parsedate_to_datetime

KEPT = 1_024
"""Bytes of an answer that are kept, and characters that they become."""
_SHOWN_AS_THEY_ARE = "\n\t"
_UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
_SECONDS = re.compile("[0-9]{1,9}")


def excerpt_of(body: bytes) -> str:
    """The first KEPT bytes as text, at most so many characters. What cannot be seen or read is made visible.

    So no answer can move a terminal's cursor, turn the direction of a page's text, or hold a NUL, which PostgreSQL
    does not take.
    """
    # Not the end of the text: a character that was cut in the middle is left out.
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(body[:KEPT])
    return "".join(map(_visible, text.replace("\r\n", "\n")))[:KEPT]


def _visible(character: str) -> str:
    if character in _SHOWN_AS_THEY_ARE or unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)  # the pictures of control characters
    return "\N{SYMBOL FOR DELETE}" if code == 0x7F else f"\\u{code:04x}"


def wait_of(retry_after: str | None, date: str | None) -> float | None:
    """Seconds that `Retry-After` asks to wait (RFC 9110, section 10.2.3); None when it asks nothing that can be read.

    A date counts from the answer's own `Date`: how wrong the receiver's clock is does not matter.
    """
    if retry_after is None:
        return None
    if _SECONDS.fullmatch(retry_after.strip()):
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - parsedate_to_datetime(date or "")).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):  # no date, or one of them without a zone
        return None
