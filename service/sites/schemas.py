"""A site's settings: what they may be, and what visitors are told of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from service.errors import Invalid
from service.limits import can_be_counted
from service.sites.policy import MODES, SCHEMA_TYPES
from service.spam.words import LONGEST_PHRASE, folded

KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
MOST_WORDS = 50_000
"""Entries of a list."""


def _word_list(text: str) -> fields.List[str]:
    each = fields.String(validate=[validate.Length(1, 100), _one_line, _word])
    return fields.List(each, validate=validate.Length(max=MOST_WORDS), metadata={"description": text})


def _word(text: str) -> None:
    words = len(folded(text))
    if not words or "*" in text.rstrip().removesuffix("*"):
        raise ma.ValidationError("Write a word or a phrase; a star may stand at its end.")
    if words > LONGEST_PHRASE:
        raise ma.ValidationError(f"A phrase has at most {LONGEST_PHRASE} words.")


def _one_line(text: str) -> None:
    """Feeds are XML, which has no words for controls and no way to escape them."""
    if not text.isprintable() or (text and not text.strip()):
        raise ma.ValidationError("Use one line, of characters that can be seen.")


def _limit(text: str) -> fields.String:
    return fields.String(allow_none=True, validate=[validate.Length(max=100), _windows], metadata={"description": text})


def _windows(text: str) -> None:
    if not can_be_counted(text):
        raise ma.ValidationError("Write a limit like 6/minute, or several like 6/minute;60/hour.")


class SiteSettings(ma.Schema):
    """Every setting of a site. The descriptions are the manual's."""

    name = fields.String(
        validate=[validate.Length(1, 200), _one_line], metadata={"description": "What people call the site."}
    )
    origins = fields.List(
        fields.String(),
        validate=validate.Length(min=1),
        metadata={"description": "Who may embed: exact origins, the main one first."},
    )
    mode = fields.String(
        validate=validate.OneOf(MODES),
        metadata={"description": "`pre`: all wait; `post`: published at once; `first_timers`: the unproven wait."},
    )
    rating_max = fields.Float(
        allow_none=True,
        validate=validate.Range(2, 1000),
        metadata={"description": "The best rating (5, 10, 100); empty for no ratings."},
    )
    rating_halves = fields.Boolean(metadata={"description": "Whether halves may be given."})
    schema_type = fields.String(
        validate=validate.OneOf(SCHEMA_TYPES),
        metadata={"description": "What the pages review, as schema.org names it; empty for no JSON-LD."},
    )
    depth = fields.Integer(
        validate=validate.Range(2, 10), metadata={"description": "Levels shown before replies stand flat."}
    )
    close_after_days = fields.Integer(
        allow_none=True,
        validate=validate.Range(1, 36_500),
        metadata={"description": "Days after which a thread closes; empty for never."},
    )
    hold_after_reports = fields.Integer(
        allow_none=True,
        validate=validate.Range(1, 100),
        metadata={"description": "Reports after which a comment waits for a moderator again; empty for never."},
    )
    target_age_minutes = fields.Integer(
        allow_none=True,
        validate=validate.Range(1, 525_600),
        metadata={"description": "Minutes that a comment may wait before the queue is overdue; empty for no target."},
    )
    language = fields.String(
        validate=validate.Regexp(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z"),
        metadata={"description": "The language of the site, as BCP 47 names it."},
    )
    privacy_text = fields.String(
        validate=[validate.Length(max=500), _one_line],
        metadata={"description": "The privacy line under the form; empty for a line of Greenroom's own."},
    )
    privacy_url = fields.Url(
        schemes={"http", "https"},
        allow_none=True,
        validate=validate.Length(max=500),
        metadata={"description": "Where the privacy line leads."},
    )
    retention_days = fields.Integer(
        validate=validate.Range(1, 36_500),
        metadata={"description": "Days for which addresses and network labels are kept."},
    )

    limit_submit = _limit("Comments from one address; empty for the value of `GREENROOM_LIMIT_SUBMIT`.")
    limit_page = _limit("Comments on one page, from everybody; empty for the value of `GREENROOM_LIMIT_PAGE`.")
    limit_site = _limit("Comments on the site, from everybody; empty for the value of `GREENROOM_LIMIT_SITE`.")
    max_links = fields.Integer(
        allow_none=True,
        validate=validate.Range(0, 100),
        metadata={"description": "Links that a comment may hold; with more it waits. Empty for as many as one likes."},
    )
    hold_words = _word_list("Words and phrases for which a comment waits; `casin*` is for all that begin so.")
    spam_words = _word_list("Words and phrases that make a comment spam.")

    @staticmethod
    def check_key(key: str) -> None:
        """Invalid unless the key is a short lower-case name."""
        if not KEY.fullmatch(key):
            raise Invalid.field("key", "key", "Use lower-case letters, digits, - and _; 64 at most.")


class ScaleOut(ma.Schema):
    maximum = fields.Float(required=True)
    step = fields.Float(required=True, metadata={"description": "Also the lowest rating."})


class PrivacyOut(ma.Schema):
    text = fields.String(required=True)
    own = fields.Boolean(required=True, metadata={"description": "Whether the text is the site's own; else ours."})
    days = fields.Integer(required=True, metadata={"description": "How long address and network are kept."})
    url = fields.String(required=True, allow_none=True)


class TermsOut(ma.Schema):
    """What a site tells whoever wants to write on a page."""

    language = fields.String(required=True)
    scale = fields.Nested(ScaleOut, required=True, allow_none=True)
    privacy = fields.Nested(PrivacyOut, required=True)
    closed = fields.String(required=True, allow_none=True, metadata={"description": "Why nobody can write here."})


def settings_from(assignments: Sequence[str]) -> dict[str, Any]:
    """`["mode=post", "rating_max="]` → validated values. Invalid names what cannot be taken."""
    values: dict[str, Any] = {}
    for one in assignments:
        name, equals, text = one.partition("=")
        if not equals:
            raise Invalid.field(one, "form", "Write NAME=VALUE.")
        field = SiteSettings().fields.get(name)
        empty = None if field is not None and field.allow_none else ""
        is_list = isinstance(field, fields.List)
        values[name] = [one for one in text.split(",") if one or name == "origins"] if is_list else (text or empty)
    return load_settings(values)


def load_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Some settings, validated. Invalid names those that cannot be taken."""
    try:
        loaded: dict[str, Any] = SiteSettings().load(values)
    except ma.ValidationError as error:
        messages = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise Invalid(errors=_by_path(messages)) from error
    return loaded


def _by_path(messages: Mapping[Any, Any], path: str = "") -> dict[str, list[dict[str, str]]]:
    """`{"origins": {0: ["…"]}}` → `{"origins.0": [{"code": "invalid", "detail": "…"}]}`."""
    found: dict[str, list[dict[str, str]]] = {}
    for name, told in messages.items():
        if isinstance(told, dict):
            found |= _by_path(told, f"{path}{name}.")
        else:
            found[f"{path}{name}"] = [{"code": "invalid", "detail": str(one)} for one in told]
    return found
