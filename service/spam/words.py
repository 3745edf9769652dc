"""Lists of words and phrases, found in a text by look-ups alone: however long a list is, a text takes as long."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST_PHRASE = 8
"""Words of a phrase."""
_WORD = re.compile(r"\w+")


def folded(text: str) -> list[str]:
    """The words of a text without case and accents. Each database would split and fold in a way of its own."""
    plain = text.casefold()
    if not plain.isascii():
        parts = unicodedata.normalize("NFKD", plain)
        plain = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    return _WORD.findall(plain)


@dataclass(frozen=True)
class WordList:
    """Entries as they are looked up: folded, and each with what it says as somebody typed it."""

    whole: dict[str, str]
    beginnings: dict[str, str]
    """Those that end with a star: their last word may go on."""
    words: int = 0
    """Of the longest entry."""
    letters: int = 0
    """Of the longest last word of a beginning."""

    def found_in(self, text: str) -> str | None:
        """The first entry that a text holds, as it was typed; None when it holds none.

        Each word is looked up with at most LONGEST_PHRASE - 1 before it, so time grows with the text alone.
        """
        said = folded(text) if self.words else []
        for end in range(1, len(said) + 1):
            for begin in range(max(0, end - self.words), end):
                if found := self._look_up(said[begin:end]):
                    return found
        return None

    def _look_up(self, said: list[str]) -> str | None:
        phrase = " ".join(said)
        if phrase in self.whole:
            return self.whole[phrase]
        before, last = len(phrase) - len(said[-1]), min(len(said[-1]), self.letters)
        cuts = (phrase[: before + length] for length in range(1, last + 1))
        return next((self.beginnings[cut] for cut in cuts if cut in self.beginnings), None)


def compiled(entries: Iterable[str]) -> WordList:
    """Entries such as `casino`, `cheap pills` or `viagr*`, ready to be looked up. One without a letter is left out."""
    whole: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    longest, letters = 0, 0
    for entry in entries:
        said = folded(entry)
        if not said:
            continue
        longest = max(longest, len(said))
        if entry.rstrip().endswith("*"):
            beginnings.setdefault(" ".join(said), entry)
            letters = max(letters, len(said[-1]))
        else:
            whole.setdefault(" ".join(said), entry)
    return WordList(whole, beginnings, longest, letters)


@dataclass(frozen=True)
class Lists:
    """A site's words: those that hold a comment, and those that make it spam."""

    hold: WordList = compiled(())
    spam: WordList = compiled(())
