"""The comment form: what it asks, what comes back in our names or WordPress', and what it shows again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import marshmallow as ma
from webargs.flaskparser import abort

from service.comments import formtoken, queries
from service.comments.routes import address_of
from service.comments.schemas import Preview, Submission
from service.comments.shown import queries as shown
from service.errors import FieldErrors, Problem
from service.sites import queries as sites
from service.sites.models import Site
from service.sites.operations import Scale, scale_of
from service.sites.terms import privacy_text

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
HONEYPOT = "topic"
"""Named like something that a robot fills in; people do not see it."""

SHOWN = {"rating": "Rating", "body": "Comment", "name": "Name", "email": "Email", "website": "Website"}
"""The fields that a person sees, in their order, and what they are called."""

_HIDDEN = ("page", "page_title", "page_url", "parent_id", "redirect_to")
_UNSEEN = {"page": "Page", "page_title": "Page title", "page_url": "Page address", "parent_id": "Reply"}
"""What fields are called that a person does not see, when something is wrong with them."""
_WORDPRESS = {"author": "name", "url": "website", "comment": "body", "comment_parent": "parent_id"}
_IMPORTED_FROM = "wordpress"
_NUMBER = re.compile(r"\s*\d{1,9}(?:[.,]\d{1,9})?\s*")


@dataclass(frozen=True)
class Terms:
    """What pages need to know about a site, noted before anything can go wrong with the database.

    `known` is False when the site could not be looked up.
    """

    site: str
    name: str = ""
    origins: tuple[str, ...] = ()
    language: str = "en"
    scale: Scale | None = None
    schema_type: str = ""
    privacy_text: str = ""
    privacy_url: str | None = None
    token: str | None = None
    known: bool = False

    @classmethod
    def of(cls, site: Site) -> Terms:
        return cls(
            site=site.key,
            name=site.name,
            origins=tuple(site.origins),
            language=site.language,
            scale=scale_of(site),
            schema_type=site.schema_type,
            privacy_text=privacy_text(site),
            privacy_url=site.privacy_url,
            token=formtoken.issue(site),
            known=True,
        )


@dataclass(frozen=True)
class Answered:
    """The comment that a reply answers."""

    id: str
    name: str


@dataclass(frozen=True)
class Form:
    """A form as the template draws it: empty, or with what was typed and what is wrong with it."""

    terms: Terms
    values: Mapping[str, str]
    action: str
    token: str | None = None
    answers: Answered | None = None
    lost: bool = False
    """Whether the comment that was to be answered is not here (any more)."""
    cancel: str | None = None
    """Where somebody goes who does not want to answer this comment after all."""
    problem: Problem | None = None
    preview: str | None = None

    @property
    def errors(self) -> FieldErrors:
        """What is wrong, in the order in which the form asks."""
        found = (self.problem and self.problem.errors) or {}
        order = [*SHOWN, *found]
        return {name: found[name] for name in sorted(found, key=order.index)}

    @property
    def asks_rating(self) -> bool:
        return self.terms.scale is not None and not self.values.get("parent_id")

    @property
    def heading(self) -> str:
        return f"Reply to {self.answers.name}" if self.answers else "Leave a Reply"

    @property
    def trouble(self) -> str:
        """The problem in a sentence, which speaks of marked fields only where some are marked."""
        assert self.problem
        is_marked = not self.errors or any(map(self.shows, self.errors))
        return self.problem.detail if is_marked else "This cannot be posted as it is."

    def label(self, name: str) -> str:
        return SHOWN.get(name) or _UNSEEN.get(name, name)

    def shows(self, name: str) -> bool:
        return name in SHOWN and (name != "rating" or self.asks_rating)

    @property
    def hidden(self) -> dict[str, str]:
        """What goes along unseen; a rating too, when the site's scale could not be looked up."""
        names = _HIDDEN if self.terms.known else (*_HIDDEN, "rating")
        return {name: self.values[name] for name in names if self.values.get(name)}


@dataclass(frozen=True)
class Typed:
    """What a form sent, as text, under our names."""

    values: Mapping[str, str] = field(default_factory=dict)
    honeypot: str = ""
    token: str | None = None
    wants_preview: bool = False


def read(form: Mapping[str, str]) -> Typed:
    """What was typed, under our names; WordPress' names are understood, others ignored."""
    values = {ours: form[theirs] for theirs, ours in _WORDPRESS.items() if theirs in form}
    if "comment_post_ID" in form:
        values["page"] = f"wp:{form['comment_post_ID']}"
    values |= {name: form[name] for name in (*_HIDDEN, *SHOWN) if name in form}
    if values.get("parent_id", "").strip() in ("", "0"):
        values.pop("parent_id", None)
    return Typed(values, form.get(HONEYPOT, ""), form.get("form_token"), "preview" in form)


def submission(site: Site, typed: Typed) -> dict[str, Any]:
    """The values that `comments.routes.accept` takes. Invalid, as for JSON, where they cannot be taken."""
    values: dict[str, Any] = {name: value for name, value in typed.values.items() if name != "redirect_to"}
    if not values.get("page_url"):
        values.pop("page_url", None)
    if "parent_id" in values:
        values["parent_id"] = _parent(site, values["parent_id"])
    if "rating" in values:
        values["rating"] = _number(values["rating"])
    return loaded(Submission(), values, drop=("honeypot", "form_token"))


def previewed(typed: Typed) -> str:
    """The text to preview. Invalid when there is none, or too much."""
    text: str = loaded(Preview(), {"body": typed.values.get("body", "")})["body"]
    return text


def loaded(schema: ma.Schema, values: dict[str, Any], drop: tuple[str, ...] = ()) -> dict[str, Any]:
    """Values that a schema takes. Invalid, as for JSON, where it does not."""
    try:
        found: dict[str, Any] = schema.load(values)
    except ma.ValidationError as error:
        abort(422, exc=error, messages=error.messages)
    return {name: value for name, value in found.items() if name not in drop}


def _parent(site: Site, text: str) -> str:
    """Our id of a comment that a theme may still know by the number it had in WordPress."""
    if not text.strip().isdecimal():
        return text
    found = queries.imported(site.id, _IMPORTED_FROM, text.strip())
    return str(found.id) if found else text


def _number(text: str) -> float | str | None:
    """A number as people type it, with a point or a comma; other text stays, for the schema to refuse."""
    if not text.strip():
        return None
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else text


def answered(site: Site, page: str, comment_id: UUID | str | None) -> Answered | None:
    """Who is answered; None when there is no such published comment on the page."""
    try:
        wanted = UUID(_parent(site, str(comment_id))) if comment_id else None
        found = sites.page_at(site, address_of(site, page).key)
    except (Problem, ValueError):
        return None
    row = shown.shown_one(site.id, wanted) if wanted and found else None
    if row is None or found is None or not row.approved or row.page_id != found.id:
        return None
    return Answered(row.id, row.name)
