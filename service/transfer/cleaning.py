"""A foreign comment as one of ours: every value through the same cleaning as a visitor's, or left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.comments import plaintext, schemas
from service.comments.models import Comment, HoldReason
from service.comments.operations import write
from service.comments.plaintext import PlainTextError
from service.db import new_id, now
from service.privacy.seal import email_index, network_label, seal
from service.sites.models import Site
from service.sites.operations import Scale, scale_of

from . import foreign
from .foreign import ForeignComment, Skipped

ANONYMOUS = "Anonymous"

NOTES = foreign.NOTES | {
    "no_name": f"It came without a name: called {ANONYMOUS}.",
    "bad_email": "What stood for its e-mail address is none: left out.",
    "bad_website": "The author's website is not an address on the web: left out.",
    "future_date": "Its date lies in the future: dated now.",
    "no_date": "Neither it nor its page has a date: dated now.",
    "rating_dropped": "The rating is not on this site's scale: left out.",
    "nothing_to_see": "Nothing of its text can be shown, such as a picture alone.",
    "parent_missing": "The comment that it answers is not among those imported: it begins a thread.",
    "circle": "It answers itself by a roundabout way: it begins a thread.",
    "alias_taken": "The number of its page leads to another page already.",
    "bad_page_address": "The address of its page cannot be read: the page is known by its number alone.",
}
"""What had to be decided about a comment that is imported all the same; one sentence a code."""

_HELD = "It waited for a decision where it comes from."


@dataclass(frozen=True)
class Target:
    """What cleaning needs to know of the site that receives the comments."""

    site_id: UUID
    scale: Scale | None

    @classmethod
    def of(cls, site: Site) -> Target:
        return cls(site.id, scale_of(site))


@dataclass(frozen=True)
class Cleaned:
    """A comment that is not in the database yet: rendered and sealed, without page, parent and author."""

    comment: Comment
    status: str
    notes: tuple[str, ...]


def unsaid(row: ForeignComment, target: Target) -> Skipped | None:
    """The objection to a row that has no words, and whose rating means nothing on this site."""
    if row.body or _on_scale(row, target):
        return None
    return Skipped(row.source_id, "empty", "It has no text, and its rating is not on this site's scale.")


def cleaned(row: ForeignComment, source: str, target: Target) -> Cleaned:
    """The row as a comment of the site. Costs the time of rendering; touches no database."""
    notes: list[str] = []
    rating = float(row.rating) if row.rating is not None and _on_scale(row, target) else None
    if row.rating is not None and rating is None:
        notes.append("rating_dropped")
    email = _taken(schemas.email, row.email, "bad_email", notes)
    comment = Comment(
        id=new_id(), site_id=target.site_id, source=source, source_id=row.source_id,
        name=_name(row, notes), website=_taken(plaintext.clean_website, row.website, "bad_website", notes),
        email_sealed=seal(email) if email else None,
        email_index=email_index(target.site_id, email) if email else None,
        network_label=network_label(target.site_id, row.ip) if row.ip else None,
        rating=rating, rating_scale=row.rating_scale if rating is not None else None,
        created_at=_date(row, notes), reasons=_reasons(row),
    )  # fmt: skip
    write(comment, row.body, row.body_format)
    if row.body and not comment.html:
        notes.append("nothing_to_see")
    return Cleaned(comment, row.status, tuple(notes))


def _on_scale(row: ForeignComment, target: Target) -> bool:
    scale = target.scale
    same = scale is not None and row.rating is not None and row.rating_scale == scale.maximum
    return same and scale is not None and scale.has(float(row.rating or 0))


def _name(row: ForeignComment, notes: list[str]) -> str:
    name = plaintext.mend_line(row.name, max_length=schemas.NAME_LENGTH)
    if not name:
        notes.append("no_name")
    return name or ANONYMOUS


def _taken(clean: Callable[[str], str | None], text: str | None, code: str, notes: list[str]) -> str | None:
    """What `clean` makes of a text; None, and a note, where it refuses it."""
    try:
        return clean(text) if text else None
    except PlainTextError:
        notes.append(code)
        return None


def _date(row: ForeignComment, notes: list[str]) -> datetime:
    if row.created_at is None:
        notes.append("no_date")
    elif row.created_at > now():
        notes.append("future_date")
    else:
        return row.created_at
    return now()


def _reasons(row: ForeignComment) -> list[HoldReason]:
    if row.status != "pending":
        return []
    said = [foreign.NOTES[code] for code in ("page_not_public", "unknown_status") if code in row.notes]
    return [HoldReason(n=0, code="imported", detail=said[0] if said else _HELD)]
