"""http(s) URLs: what is one, and the one way to write it (RFC 3986, 6.2.2; IDNA 2008)."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, quote, unquote, urlsplit

import idna

_DEFAULT_PORTS = {"http": 80, "https": 443}
_START = re.compile(r"https?://[^/?#]", re.IGNORECASE)
# A browser reads a backslash as a slash, and drops tabs and newlines wherever they stand.
_NOT_IN_A_URL = re.compile(
    '[\x00-\x20\x7f-\xa0"<>\\\\\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000'
    "\ufeff\ufff9-\uffff\ufdd0-\ufdef\ud800-\udfff]"
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class BadURL(ValueError):
    """What is no http(s) URL; its text is a sentence for people."""


def split(url: str) -> SplitResult:
    """The parts of an absolute http(s) URL without a user, the scheme in lower case. Raises BadURL."""
    refuse_marks(url)
    if not _START.match(url):
        raise BadURL("An address begins with https:// and the name of a host.")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise BadURL("The name of the host in the address cannot be read.") from error
    if "@" in parts.netloc:
        raise BadURL("Please leave the user name and the password out of the address.")
    return parts


def refuse_marks(url: str) -> None:
    """BadURL for what no part of a URL may hold as it is."""
    if _NOT_IN_A_URL.search(url):
        raise BadURL("The address holds a space, a backslash, a quote or a character that cannot be seen.")


def place_of(parts: SplitResult) -> str:
    """`host[:port]` of a split URL, the default port left out. Raises BadURL."""
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise BadURL("The port in the address is not a number from 1 to 65535.")
    host = ascii_host(parts.hostname or "")
    if host is None:
        raise BadURL("The address has no valid name of a host.")
    return host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"


def host_of(url: str) -> str | None:
    """The host to which a browser goes that follows a link (ASCII, no escapes: WHATWG URL, 3.5). None where it is none.

    A link of somebody else's hand: `https://sp%61m.example` leads to spam.example, `https://faß.example` to
    xn--fa-hia.example.
    """
    try:
        return ascii_host(unquote(urlsplit(url).hostname or ""))
    except ValueError:  # such as http://[
        return None


def ascii_host(host: str) -> str | None:
    """A host as it stands in a URL: lower-case ASCII, IPv6 in brackets. None when it is none."""
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host)}]"
        except ValueError:
            return None
    host = host.lower()
    if not host.isascii() and len(host) <= 253:
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError:
            return None
    host = host.removesuffix(".")
    valid = len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.split("."))
    return host if valid else None


def encoded(text: str, *, safe: str) -> str:
    """Part of a URL: unreserved characters and those in `safe` bare, all others escaped in capitals."""

    def normal(escape: re.Match[str]) -> str:
        # A percent sign that begins no escape is encoded itself.
        if escape[1] is None:
            return "%25"
        character = chr(int(escape[1], 16))
        return character if character in _UNRESERVED else escape[0].upper()

    return quote(_ESCAPE.sub(normal, text), safe=safe + "%~")
