"""Where the pages of an export are on the site that receives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote, urlsplit

from service.errors import Invalid
from service.sites.addresses import Address, BadPage, ForeignPage, canonical

from . import foreign

Map = tuple[str, str]
"""An old address and the new one: what lies at or below the old moves to the new."""

_WEB = re.compile(r"https?://", re.IGNORECASE)
_IN_URLS = "%/:?#[]@!$&'()*+,;=~"


class Places:
    """Finds the address of a page on the site: by the maps, else as it is, else by its path on the main origin."""

    def __init__(self, origins: Sequence[str], maps: Iterable[Map], prefix: str) -> None:
        """`prefix` stands before the numbers of pages. Raises Invalid for a map that leads off the site."""
        if not origins:
            raise Invalid.field("site", "no-origin", "The site has no origin yet. Set one first.")
        self._origins = origins
        self._prefix = prefix
        self._maps = sorted((self._checked(*one) for one in maps), key=lambda one: -len(one[0]))

    def _checked(self, old: str, new: str) -> tuple[str, str]:
        if not _WEB.match(old):
            raise Invalid.field("map", "old", f"{old}: give the whole old address, with https://.")
        try:
            address = canonical(new, origins=self._origins)
        except (BadPage, ForeignPage) as error:
            raise Invalid.field("map", "new", f"{new}: {error}") from error
        if address.url is None:
            raise Invalid.field("map", "new", f"{new}: begin it with https:// or with a slash.")
        return _bare(old).rstrip("/"), address.url.rstrip("/")

    def address(self, page: foreign.ForeignPage) -> Address | None:
        """The page's address here; by its number alone where its own cannot be read. None without either."""
        for url in (page.url or "", quote(page.url or "", safe=_IN_URLS)):
            try:
                if _WEB.match(url) or url.startswith("/"):
                    return self._at(url)
            except BadPage:
                continue
        return self.alias(page)

    def alias(self, page: foreign.ForeignPage) -> Address | None:
        """The opaque id that stands for the page's number in its old system, such as `wp:7`."""
        try:
            return canonical(f"{self._prefix}:{page.source_id}", origins=()) if page.source_id else None
        except BadPage:
            return None

    def moved_from(self, page: foreign.ForeignPage, address: Address) -> str | None:
        """The origin that the page has left; None when it is where it was."""
        url = page.url or ""
        if address.url is None or not _WEB.match(url):
            return None
        parts = urlsplit(url)
        there, here = parts.netloc.lower(), urlsplit(address.url).netloc
        return f"{parts.scheme}://{there}" if there != here else None

    def _at(self, url: str) -> Address:
        """Raises BadPage."""
        bare = _bare(url)
        for old, new in self._maps:
            if bare == old or bare.startswith((f"{old}/", f"{old}?")):
                return canonical(new + (bare[len(old) :] or "/"), origins=self._origins)
        try:
            return canonical(url, origins=self._origins)
        except ForeignPage:
            parts = urlsplit(url)
            return canonical(f"/{parts.path.lstrip('/')}?{parts.query}", origins=self._origins)


def _bare(url: str) -> str:
    """A URL without scheme and fragment, the host in lower case: http and https are one place."""
    host, slash, rest = _WEB.sub("", url, count=1).partition("#")[0].partition("/")
    return f"{host.lower()}{slash}{rest}"
