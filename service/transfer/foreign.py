"""Comments and pages as other systems describe them, before anything of ours is decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

Status = Literal["approved", "pending", "spam", "deleted"]
BodyFormat = Literal["html", "md"]

WORDS = frozenset({"comment", "review"})
PINGS = frozenset({"pingback", "trackback", "webmention"})
LONGEST_ID = 64

NOTES = {
    "bad_date": "The comment's own date could not be read; its local date or the page's date stands in.",
    "page_not_public": "Approved there, but on a page that was not public: held here.",
    "unknown_status": "The export names no status that is known here: held.",
    "bad_rating": "The rating is not a number from 1 to 5: left out.",
}
"""What a reader had to decide about a comment that it kept."""


class UnreadableExport(Exception):
    """The file cannot be imported: `str()` says what is wrong, where (`line`), and what to do."""

    def __init__(self, sentence: str, *, line: int | None = None) -> None:
        super().__init__(f"Line {line}: {sentence}" if line else sentence)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignPage:
    """A page that may hold comments; `kind` is the source's word for it, `?` where it has none."""

    source_id: str | None
    url: str | None
    title: str
    kind: str
    created_at: datetime | None
    closed: bool
    published: bool

    @property
    def key(self) -> str | None:
        """What tells this page from the others of its export."""
        return self.source_id or self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignComment:
    """A comment as exported. Texts are trimmed, dates aware and UTC, nothing is sanitised.

    `status` is safe to store: never `approved` unless the source showed the comment to everybody.
    `kind` is in WORDS or PINGS, or another system's private word. `source_status` and `source_kind` are
    the export's own words, for the report. `notes` holds keys of NOTES.
    """

    source_id: str
    parent_source_id: str | None
    page: ForeignPage
    name: str
    email: str | None
    website: str | None
    ip: str | None
    body: str
    body_format: BodyFormat
    created_at: datetime | None
    status: Status
    kind: str
    rating: Decimal | None
    rating_scale: int | None
    source_status: str
    source_kind: str
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Mended:
    """So many broken characters were taken out or replaced while reading."""

    characters: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is not imported, and why: a code to count by, a sentence to read."""

    source_id: str
    reason_code: str
    detail: str


Row = ForeignPage | ForeignComment | Mended


def objection(comment: ForeignComment, *, pings: bool = False) -> Skipped | None:
    """Why this row cannot become a comment, as far as the row alone can tell; None when it can."""
    for code, applies, detail in (
        ("no_id", not comment.source_id, "It has no id, so a second import could not recognise it."),
        ("bad_id", len(comment.source_id) > LONGEST_ID, f"Its id is longer than {LONGEST_ID} characters."),
        ("no_page", comment.page.key is None, "Its page has neither an id nor an address."),
        ("ping", comment.kind in PINGS and not pings, f"It is a {comment.kind}, not somebody's words."),
        ("other_kind", comment.kind not in WORDS | PINGS, f"“{comment.kind}” is not a kind of comment."),
        ("empty", not comment.body and comment.rating is None, "It has no text."),
    ):
        if applies:
            return Skipped(comment.source_id[:LONGEST_ID], code, detail)
    return None
