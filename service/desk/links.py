"""Where the links of a comment really lead: nobody follows one at the desk by a slip."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from markupsafe import escape

from service.desk import words


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if (tag, name) == ("a", "href") and value]


_ANCHOR = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)


def links_as_text(said: str) -> str:
    """A sanitised text with its links as plain text, each followed by the host that it leads to: no slip opens one."""
    return _ANCHOR.sub(_as_text, said)


def _as_text(found: re.Match[str]) -> str:
    host = escape(words.host(unescape(found[1])) or "?")
    return f'<u title="{found[1]}">{found[2]}</u> <small class="host">({host})</small>'


def link_hosts(said: str) -> list[str]:
    """Where the links of a comment really lead, each host once: the words of a link may say anything."""
    reader = _Links()
    reader.feed(said)
    return list(dict.fromkeys(words.host(url) or url for url in reader.found))
