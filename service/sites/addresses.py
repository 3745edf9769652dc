"""Which page is meant: one key for all the ways to write a page's address."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, unquote

from service.sites.weburl import BadURL, encoded, place_of, refuse_marks, split

LONGEST_URL = 2_048
LONGEST_ID = 200

_WEB = re.compile(r"https?:", re.IGNORECASE)
_NOT_IN_AN_ID = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef"
    "\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
_IN_A_PATH = "/:@!$&'()*+,;="
_IN_A_QUERY = _IN_A_PATH + "?"
_TRACKING = frozenset((
    "_ga", "_gl", "_hsenc", "_hsmi", "_openstat", "dclid", "epik", "fb_action_ids", "fb_action_types",
    "fb_source", "fbclid", "gad_source", "gbraid", "gclid", "gclsrc", "igsh", "igshid", "li_fat_id",
    "mc_cid", "mc_eid", "mkt_tok", "moderation-hash", "msclkid", "oly_anon_id", "oly_enc_id", "ref_src",
    "replytocom", "srsltid", "ttclid", "twclid", "unapproved", "vero_id", "wbraid", "wickedid", "yclid",
    "ysclid",
))  # fmt: skip


class BadPage(ValueError):
    """What cannot be a page's address; its text is a sentence for people."""


class ForeignPage(ValueError):
    """A page that is not on the site; its text is a sentence for people."""


class BadOrigin(ValueError):
    """What is no origin; its text is a sentence for people."""


@dataclass(frozen=True)
class Address:
    """A page's identity: two addresses mean the same page when their keys are equal.

    `key` is `//host[:port]/path[?query]` without a scheme, or `id:` and the site's own id for the page.
    `url` is where the page is, with the scheme of the site's origin; an id alone has none.
    """

    key: str
    url: str | None
    kind: Literal["url", "path", "id"]


def canonical(page: str, *, origins: Sequence[str]) -> Address:
    """The address of a page that is named by its URL, by a path on the first origin, or by an id of the site.

    `origins` are the site's, as `normal_origin` writes them. Raises ForeignPage for a URL elsewhere and
    BadPage for one that is broken. The scheme, a default port, the case of the host, needless
    percent-encoding, dot segments, doubled and trailing slashes, the fragment and tracking parameters make
    no difference; the other parameters do, and so does their order.
    """
    page = page.strip(" ")
    if not page:
        raise BadPage("Please say which page is meant.")
    if len(page) > LONGEST_URL:
        raise BadPage(f"The address of a page has at most {LONGEST_URL:,} characters.")
    if page.startswith(("//", "\\")):
        raise BadPage("Please begin the address of the page with https:// or with a single slash.")
    try:
        if page.startswith("/"):
            return _on_first_origin(page, origins)
        return _at_url(page, origins) if _WEB.match(page) else _opaque(page)
    except BadURL as error:
        raise BadPage(str(error)) from error


def _at_url(page: str, origins: Sequence[str]) -> Address:
    parts = split(page)
    place = place_of(parts)
    for origin in origins:
        if _place(origin) == place:
            return _address(origin, parts, "url")
    raise ForeignPage(f"The page is on {place}, which is not one of this site's origins.")


def _on_first_origin(page: str, origins: Sequence[str]) -> Address:
    if not origins:
        raise BadPage("This site has no origin yet, so a path alone does not name a page.")
    return _address(origins[0], _split_path(page), "path")


def _address(origin: str, parts: SplitResult, kind: Literal["url", "path"]) -> Address:
    path = _path(parts.path)
    kept = "&".join(part for part in parts.query.split("&") if part and not _tracks(part))
    query = "?" + encoded(kept, safe=_IN_A_QUERY) if kept else ""
    url = origin + path + query
    if len(url) > LONGEST_URL:
        raise BadPage(f"The address of a page has at most {LONGEST_URL:,} characters, percent-encoded.")
    return Address(f"//{_place(origin)}{path.rstrip('/') or '/'}{query}", url, kind)


def _place(origin: str) -> str:
    return origin.partition("://")[2]


def _split_path(page: str) -> SplitResult:
    # urlsplit would take a path such as //a or /a:b apart in its own way.
    refuse_marks(page)
    rest, _, fragment = page.partition("#")
    path, _, query = rest.partition("?")
    return SplitResult("", "", path, query, fragment)


def _path(path: str) -> str:
    """A path without dot segments and doubled slashes, encoded in one way; a trailing slash stays."""
    kept: list[str] = []
    segments = encoded(path, safe=_IN_A_PATH).split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    ends_open = kept and segments[-1] in ("", ".", "..")
    return "/" + "/".join(kept) + ("/" if ends_open else "")


def _tracks(parameter: str) -> bool:
    name = unquote(parameter.partition("=")[0]).lower()
    return name.startswith("utm_") or name in _TRACKING


def _opaque(page: str) -> Address:
    # The length first: NFC takes the square of the length of a run of marks.
    name = unicodedata.normalize("NFC", page) if len(page) <= 4 * LONGEST_ID else page
    if len(name) > LONGEST_ID:
        raise BadPage(f"The id of a page has at most {LONGEST_ID} characters; an address begins with https://.")
    if _NOT_IN_AN_ID.search(name):
        raise BadPage("The id of the page holds a character that cannot be seen.")
    return Address(f"id:{name}", None, "id")


def origin_of(url: str) -> str:
    """The origin of an http(s) URL, as `normal_origin` writes it. Raises BadURL."""
    parts = split(url)
    return f"{parts.scheme}://{place_of(parts)}"


def normal_origin(text: str) -> str:
    """An origin such as `https://example.org` in the one way to write it. Raises BadOrigin."""
    text = text.strip(" ")
    example = "An origin looks like https://example.org, with a port where there is one and without a path."
    if not re.fullmatch(r"[^/?#]+//[^/?#]+/?", text) or len(text) > LONGEST_URL:
        raise BadOrigin(example)
    try:
        return origin_of(text)
    except BadURL as error:
        raise BadOrigin(f"{error} {example}") from error


def safe_redirect(target: str, *, origins: Sequence[str], own: str) -> str | None:
    """Where a form may send the browser: an absolute URL on `own` or one of the origins; None for all else.

    A path is one on `own`. The answer is written anew from what was understood, never passed on.
    """
    try:
        if target.startswith("/") and not target.startswith("//"):
            origin, parts = own, _split_path(target)
        else:
            origin, parts = origin_of(target), split(target)
    except BadURL:
        return None
    if len(target) > LONGEST_URL or (origin != own and origin not in origins):
        return None
    query = "?" + encoded(parts.query, safe=_IN_A_QUERY) if parts.query else ""
    fragment = "#" + encoded(parts.fragment, safe=_IN_A_QUERY) if parts.fragment else ""
    return origin + _path(parts.path) + query + fragment
