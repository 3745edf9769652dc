"""What makes comments alike, so that a wave of spam is one decision.

Two keys, each in an indexed column, so that those who share one are found without comparing any with any:

- the host of the first link, without `www.`: what a wave is there for, whatever it says around it;
- a mark of the words: the digest of the eight longest different ones, in whatever order. That is I-Match (Chowdhury
  and others, Collection Statistics for Fast Duplicate Document Detection, 2002) with long words in the place of
  those that are rare: it needs no counts of words, and so the mark of a text never changes. Numbers come last. Short
  words, names in a greeting, numbers, links, case, accents and letters that only look alike make no difference to a
  text of more words; one of fewer has to say the same. SimHash would forgive more, but is no key: near ones have to be
  searched for.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from service.comments.plaintext import skeleton
from service.comments.rendering import text_of
from service.sites.weburl import host_of

_LONGEST_TEXT = 2_000
_WORDS = 8
_ANCHOR = re.compile(r'<a href="(https?://[^"]*)"[^>]*>(.*?)</a>', re.DOTALL | re.IGNORECASE)
_ONE_STROKE = str.maketrans("l1|0", "iiio")


def likeness(sanitised: str) -> tuple[str | None, str | None]:
    """The host that a rendered comment links to first, and the mark of its words; None where it has none."""
    first = _ANCHOR.search(sanitised)
    words = _words(text_of(_ANCHOR.sub(_without_address, sanitised), _LONGEST_TEXT))
    return _host(first[1]) if first else None, _mark(words) if words else None


def _without_address(link: re.Match[str]) -> str:
    """Of a link its words, unless they are an address themselves."""
    return " " if "://" in link[2] else link[2]


def _host(url: str) -> str | None:
    return (host_of(url) or "").removeprefix("www.") or None


def _words(text: str) -> set[str]:
    folded = text.casefold()
    if not folded.isascii():
        parts = unicodedata.normalize("NFKD", folded)
        folded = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    return {word if word.isdecimal() else _shape(word) for word in re.findall(r"\w+", folded)}


def _shape(word: str) -> str:
    """A word as it looks. What is ASCII needs no more than this, and most of it is."""
    return word.translate(_ONE_STROKE) if word.isascii() else skeleton(word)


def _mark(words: set[str]) -> str:
    longest = sorted(words, key=lambda word: (word.isdecimal(), -len(word), word))[:_WORDS]
    return hashlib.blake2b(" ".join(longest).encode(), digest_size=8).hexdigest()
