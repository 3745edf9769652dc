"""WordPress exports (WXR 1.0 to 1.2, and the WXR that Disqus takes), read as a stream."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path

from .foreign import ForeignComment, ForeignPage, Mended, Row, Status, UnreadableExport
from .outline import Outline, walk
from .stream import Mending, Progress, pieces

MAX_BYTES = 2 * 1024**3

_NAMESPACE = re.compile(r"https?://(www\.)?wordpress\.org/export/\d+\.\d+/?")
_VERSION = re.compile(r"(1\.\d+)?")
_STATUS: dict[str, Status] = {
    "1": "approved",
    "approve": "approved",
    "approved": "approved",
    "0": "pending",
    "hold": "pending",
    "spam": "spam",
    "trash": "deleted",
    "post-trashed": "deleted",
}
_NO_ADDRESS = frozenset({"", "http://", "https://"})
_RATING = re.compile(r"[1-5](\.\d)?")

# What is kept of an item, of a comment in it, and of a comment's meta; by the element that holds it.
_ITEM, _COMMENT, _META = "item", "wp:comment", "wp:commentmeta"
_WITHIN = {_ITEM: "", _COMMENT: _ITEM, _META: _COMMENT}
_WANTED = {
    "": frozenset({"wp:wxr_version"}),
    _ITEM: frozenset(
        {"title", "link", "guid", "wp:post_id", "wp:post_type", "wp:status", "wp:post_password"}
        | {"wp:comment_status", "wp:post_date_gmt", "wp:post_date"}
    ),
    _COMMENT: frozenset(
        {"wp:comment_id", "wp:comment_parent", "wp:comment_approved", "wp:comment_type", "wp:comment_content"}
        | {"wp:comment_author", "wp:comment_author_email", "wp:comment_author_url", "wp:comment_author_IP"}
        | {"wp:comment_date_gmt", "wp:comment_date"}
    ),
    _META: frozenset({"wp:meta_key", "wp:meta_value"}),
}


def read(path: Path, *, progress: Progress | None = None, max_bytes: int = MAX_BYTES) -> Iterator[Row]:
    """Yield what the export holds, in its order: an item's comments, then the item itself as a page.

    Memory does not grow with the file. A last `Mended` tells of broken characters, if there were any.
    Raises UnreadableExport, possibly after rows were yielded: the damage may be at the end.
    """
    mending = Mending()
    export = _Export()
    for _ in walk(pieces(path, mending, max_bytes=max_bytes, progress=progress), export):
        yield from export.found
        export.found.clear()
    if not export.recognised:
        raise UnreadableExport(
            "This is RSS, but nothing in it is from WordPress. Export under Tools → Export → All content."
        )
    if mending.characters:
        yield Mended(mending.characters)


class _Export(Outline):
    """Builds pages and comments out of the elements, and holds them until they are taken."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Row] = []
        self.recognised = False
        self._page: ForeignPage | None = None
        self._open: list[tuple[str, int, dict[str, str]]] = [("", 0, {})]

    def usual_prefix(self, namespace: str) -> str:
        return "wp" if _NAMESPACE.fullmatch(namespace.strip()) else "?"

    def opened(self, name: str) -> bool:
        if self.depth == 1 and name != "rss":
            raise UnreadableExport(f"This is no WordPress export: it starts with <{name}>, not <rss>.")
        holder = self._open[-1][0]
        if name in _WITHIN and _WITHIN[name] == holder:
            self._open.append((name, self.depth, {}))
        self.recognised = self.recognised or name.startswith("wp:")
        return name in _WANTED[holder]

    def gathered(self, name: str, text: str) -> None:
        holder, _, fields = self._open[-1]
        if holder == _ITEM and self._page and name not in fields:
            raise UnreadableExport(
                f"<{name}> stands below the comments of its post; WordPress writes it above. "
                "Export the comments again.",
                line=self.line,
            )
        fields.setdefault(name, text)
        if name == "wp:wxr_version" and not _VERSION.fullmatch(text):
            raise UnreadableExport(
                f"It says it is WXR version “{text[:20]}”; versions 1.0 to 1.2 can be read.", line=self.line
            )

    def closed(self, name: str) -> None:
        holder, depth, fields = self._open[-1]
        if depth != self.depth:
            return
        self._open.pop()
        if holder == _META:
            if fields.get("wp:meta_key") == "rating":
                self._open[-1][2].setdefault("rating", fields.get("wp:meta_value", ""))
        elif holder == _COMMENT:
            # A thread may be long, so its comments do not wait for the end of their item.
            self._page = self._page or _page(self._open[-1][2])
            self.found.append(_comment(fields, self._page))
        else:
            self.found.append(self._page or _page(fields))
            self._page = None


def _page(fields: dict[str, str]) -> ForeignPage:
    get = fields.get
    return ForeignPage(
        source_id=get("wp:post_id") or None,
        url=get("link") or get("guid") or None,
        title=_line(get("title", "")),
        kind=get("wp:post_type") or "?",
        created_at=_date(get("wp:post_date_gmt")) or _date(get("wp:post_date")),
        closed=get("wp:comment_status") == "closed",
        # Disqus' WXR knows neither type nor status; of WordPress' posts only `publish`, unlocked, is public.
        published=get("wp:status", "?" if get("wp:post_type") else "publish") == "publish"
        and not get("wp:post_password"),
    )


def _comment(fields: dict[str, str], page: ForeignPage) -> ForeignComment:
    get = fields.get
    approved, kind = get("wp:comment_approved", ""), get("wp:comment_type", "")
    parent = get("wp:comment_parent", "0")
    website = _line(get("wp:comment_author_url", ""))
    own_date = _date(get("wp:comment_date_gmt"))
    status, notes = _status(approved, page)
    rating = get("rating") if _RATING.fullmatch(get("rating", "")) else None
    if own_date is None:
        notes += ("bad_date",)
    if rating is None and get("rating", "") not in ("", "0"):
        notes += ("bad_rating",)
    return ForeignComment(
        source_id=get("wp:comment_id", ""),
        parent_source_id=None if parent in ("", "0") else parent,
        page=page,
        name=_line(get("wp:comment_author", "")),
        email=get("wp:comment_author_email") or None,
        website=None if website in _NO_ADDRESS else website,
        ip=_ip(get("wp:comment_author_IP", "")),
        body=get("wp:comment_content", ""),
        body_format="html",
        created_at=own_date or _date(get("wp:comment_date")) or page.created_at,
        status=status,
        kind=kind.lower() or "comment",
        rating=Decimal(rating) if rating else None,
        rating_scale=5 if rating else None,
        source_status=approved or "(empty)",
        source_kind=kind or "(empty)",
        notes=notes,
    )


def _status(approved: str, page: ForeignPage) -> tuple[Status, tuple[str, ...]]:
    status = _STATUS.get(approved.lower())
    if status is None:
        return "pending", ("unknown_status",)
    if status == "approved" and not page.published:
        return "pending", ("page_not_public",)
    return status, ()


def _date(text: str | None) -> datetime | None:
    """A date as MySQL writes it, in UTC; None for the zero date and for what is no date."""
    try:
        date = datetime.fromisoformat(text or "")
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _line(text: str) -> str:
    """Plain text on one line: WordPress keeps names and titles as HTML."""
    return " ".join(html.unescape(text).split())


def _ip(text: str) -> str | None:
    """The first address of what may be a list from a proxy; None when it is no address."""
    try:
        return str(ip_address(text.partition(",")[0].strip()))
    except ValueError:
        return None
