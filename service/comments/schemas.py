"""The public shapes: what a visitor may send, and all that anybody may see."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import marshmallow as ma
from email_validator import EmailNotValidError, validate_email
from marshmallow import fields, validate

from service.comments import plaintext
from service.comments.plaintext import PlainTextError
from service.sites.schemas import TermsOut

_A_PAGE = "/reviews/blacksmith"
_DIGITS = re.compile("-?[0-9]+")
NAME_LENGTH, TITLE_LENGTH, BODY_LENGTH, EMAIL_LENGTH = 80, 300, 10_000, 254
_A_TEXT = {"minLength": 1, "maxLength": BODY_LENGTH}
_AN_ADDRESS = {"format": "email", "maxLength": EMAIL_LENGTH, "examples": ["ada@mail.example.org"]}


class Cleaned(fields.String):
    """Text through one of plaintext's functions; what they refuse becomes the field's error."""

    def __init__(self, clean: Callable[[str], str | None], **more: Any) -> None:
        super().__init__(**more)
        self.clean = clean

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        text = super()._deserialize(value, attr, data, **more)
        try:
            return self.clean(text)
        except PlainTextError as error:
            raise ma.ValidationError([{"code": error.code, "detail": error.detail}]) from error


def line(length: int, **more: Any) -> Cleaned:
    """One line of text of at most `length` characters."""
    meta = {"minLength": 1, "maxLength": length}
    return Cleaned(lambda text: plaintext.clean_line(text, max_length=length), metadata=meta, **more)


def words(length: int, **more: Any) -> Cleaned:
    """Some lines of plain text of at most `length` characters."""

    def clean(text: str) -> str:
        cleaned = plaintext.clean_body(text)
        if len(cleaned) > length:
            raise PlainTextError("too-long", f"At most {length} characters.")
        return cleaned

    return Cleaned(clean, metadata={"minLength": 1, "maxLength": length}, **more)


def optional_title() -> Cleaned:
    """The title of a page; a page may have none."""

    def clean(text: str) -> str:
        return plaintext.clean_line(text, max_length=TITLE_LENGTH) if text.strip() else ""

    return Cleaned(clean, load_default="", metadata={"maxLength": TITLE_LENGTH})


def website(text: str) -> str | None:
    """An address of a person's site; an empty one is none."""
    return plaintext.clean_website(text) if text.strip() else None


def email(text: str) -> str:
    """An address by its syntax alone (RFC 5321 and its kin); nobody is asked whether it exists."""
    try:
        found = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        example = "That does not look like an e-mail address. An example: name@example.org"
        raise PlainTextError("email", example) from error
    if len(found.normalized) > EMAIL_LENGTH:
        raise PlainTextError("too-long", f"An e-mail address has at most {EMAIL_LENGTH} characters.")
    return found.normalized


def body(text: str) -> str:
    cleaned = plaintext.clean_body(text)
    if len(cleaned) > BODY_LENGTH:
        raise PlainTextError(
            "too-long", f"A comment has at most {BODY_LENGTH:,} characters. Yours has {len(cleaned):,}."
        )
    return cleaned


class Number(fields.Float):
    """A JSON number, never a text that looks like one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ma.ValidationError([{"code": "number", "detail": "This must be a number."}])
        return super()._deserialize(value, attr, data, **more)


class Whole(fields.Integer):
    """A whole number: 3 and 3.0 in JSON, where they are one; in an address its plain digits, and no other way."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if isinstance(value, str) and not _DIGITS.fullmatch(value):
            raise ma.ValidationError([{"code": "number", "detail": "This must be a whole number."}])
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return super()._deserialize(value, attr, data, **more)


class Truth(fields.Boolean):
    """`true` or `false`, and nothing that resembles them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if not isinstance(value, bool):
            raise ma.ValidationError([{"code": "boolean", "detail": "This must be true or false."}])
        return value


class Submission(ma.Schema):
    """A visitor's comment. The error texts are sentences for people."""

    page = fields.String(
        required=True,
        validate=validate.Length(1, 2048),
        metadata={"description": "The page's URL, path or id.", "examples": [_A_PAGE]},
    )
    page_title = optional_title()
    page_url = fields.String(
        validate=validate.Length(1, 2048), metadata={"description": "Where the page is, when `page` is an id."}
    )
    parent_id = fields.UUID(load_default=None, allow_none=True)
    name = line(NAME_LENGTH, required=True)
    email = Cleaned(email, required=True, metadata=_AN_ADDRESS)
    website = Cleaned(website, load_default=None, allow_none=True, metadata={"maxLength": 200})
    body = Cleaned(body, required=True, metadata=_A_TEXT | {"description": "Markdown."})
    rating = Number(load_default=None, allow_none=True, metadata={"minimum": 0, "maximum": 1000})
    notify = Truth(load_default=False)
    honeypot = fields.String(load_default="", metadata={"description": "Leave it empty: people do not see it."})
    form_token = fields.String(load_default=None, allow_none=True, metadata={"description": "The form's time token."})


class Held(ma.Schema):
    """The answer to a submission; the token is told once."""

    id = fields.UUID(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["approved", "pending"]))
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    author_token = fields.String(required=True, allow_none=True)
    manage_url = fields.String(required=True, allow_none=True)


class PageQuery(ma.Schema):
    page = fields.String(required=True, validate=validate.Length(1, 2048), metadata={"examples": [_A_PAGE]})


class ListQuery(ma.Schema):
    limit = Whole(load_default=50, validate=validate.Range(1, 100))
    cursor = fields.String(load_default=None, validate=validate.Length(max=500))


class ThreadQuery(PageQuery, ListQuery):
    sort = fields.String(load_default="oldest", validate=validate.OneOf(["oldest", "newest", "top"]))


class CountsQuery(ma.Schema):
    page = fields.List(
        fields.String(validate=validate.Length(1, 2048)),
        required=True,
        validate=validate.Length(1, 100),
        metadata={"examples": [[_A_PAGE]]},
    )


class CountsBody(ma.Schema):
    pages = fields.List(
        fields.String(validate=validate.Length(1, 2048)),
        required=True,
        validate=validate.Length(1, 100),
        metadata={"examples": [[_A_PAGE]]},
    )


class FeedQuery(ma.Schema):
    page = fields.String(load_default=None, validate=validate.Length(1, 2048))


class Preview(ma.Schema):
    body = Cleaned(body, required=True, metadata=_A_TEXT)


class FormOut(TermsOut):
    """What a form of your own shows, and the time token that it sends as `form_token`."""

    token = fields.String(required=True)


class Html(ma.Schema):
    html = fields.String(required=True)


class AuthorOut(ma.Schema):
    name = fields.String(required=True)
    website = fields.String(required=True, allow_none=True)
    avatar = fields.String(required=True, metadata={"description": "A random seed for a picture drawn locally."})
    is_moderator = fields.Boolean(required=True)


class CommentOut(ma.Schema):
    """A published comment, or the place of a removed one (`removed`: only id, parent_id and replies are there)."""

    id = fields.UUID(required=True)
    parent_id = fields.UUID(required=True, allow_none=True)
    removed = fields.Boolean()
    author = fields.Nested(AuthorOut)
    html = fields.String()
    rating = fields.Float(allow_none=True)
    pinned = fields.Boolean(metadata={"description": "Whether it stands first on its page."})
    created_at = fields.String(metadata={"format": "date-time"})
    edited_at = fields.String(allow_none=True, metadata={"format": "date-time"})
    votes = fields.Integer()
    reply_count = fields.Integer()
    replies = fields.List(fields.Nested(lambda: CommentOut()), required=True)
    replies_next = fields.String(allow_none=True)


class Bar(ma.Schema):
    value = fields.Float(required=True)
    count = fields.Integer(required=True)


class RatingOut(ma.Schema):
    average = fields.Float(required=True)
    count = fields.Integer(required=True)
    best = fields.Float(required=True)
    worst = fields.Float(required=True)
    histogram = fields.List(fields.Nested(Bar), required=True)


class PageOut(ma.Schema):
    id = fields.UUID(required=True, allow_none=True)
    url = fields.String(required=True, allow_none=True)
    title = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["open", "closed"]))
    comment_count = fields.Integer(required=True)
    rating = fields.Nested(RatingOut, required=True, allow_none=True)


class ThreadOut(ma.Schema):
    page = fields.Nested(PageOut, required=True)
    comments = fields.List(fields.Nested(CommentOut), required=True)
    next = fields.String(required=True, allow_none=True)


class OneOut(ma.Schema):
    page = fields.Nested(lambda: PageLink(), required=True)
    comment = fields.Nested(CommentOut, required=True)
    next = fields.String(required=True, allow_none=True)


class CountOut(ma.Schema):
    page = fields.String(required=True)
    comment_count = fields.Integer(required=True)
    rating = fields.Nested(RatingOut, required=True, allow_none=True)


class CountsOut(ma.Schema):
    counts = fields.List(fields.Nested(CountOut), required=True)


class LatestItem(CommentOut):
    page = fields.Nested(lambda: PageLink(), required=True)


class PageLink(ma.Schema):
    id = fields.UUID(required=True)
    url = fields.String(required=True, allow_none=True)
    title = fields.String(required=True)


class LatestOut(ma.Schema):
    comments = fields.List(fields.Nested(LatestItem), required=True)
    next = fields.String(required=True, allow_none=True)


def timestamp(moment: datetime | str | None) -> str | None:
    """RFC 3339 in UTC, with Z, to the millisecond: of a time, or of one that was read as text."""
    if isinstance(moment, str):
        return f"{moment[:23]}Z"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
