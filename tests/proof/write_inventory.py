"""What can be written at all, taken from the code: doors and their fields, commands and their options, columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from flask import Flask, request, request_finished
from sqlalchemy import JSON, String

from service.db import Base
from service.embed import forms
from service.sites.schemas import SiteSettings

from .fields import FORMS
from .parsers import by_lexbor
from .world import rules, sent

MARK = "<zq>"
"""Stands in every payload of these tests: a field that held it was written to."""

NO_WORDS = {
    "POST /v1/sites/<site>/counts": "answers what pages were asked about, and stores nothing",
    "POST /v1/sites/<site>/comments/<uuid:comment_id>/vote": "takes a token of a fixed form, and keeps a digest of it",
    "DELETE /v1/mine": "takes nothing but an id",
    "POST /v1/moderation/comments/<uuid:comment_id>/reveal": "takes nothing",
    "POST /v1/moderation/decisions/<uuid:decision_id>/undo": "takes nothing",
    "POST /desk/comments/<uuid:comment_id>/undo": "takes the id of a decision, and where the moderator was",
    "POST /v1/moderation/claims": "finds comments, and stores who has taken them",
    "DELETE /v1/moderation/claims": "takes nothing",
    "POST /desk/claims": "finds comments, and stores who has taken them",
    "POST /desk/decisions": "takes ids, and a list that is asked for",
    "POST /desk/decisions/<uuid:decision_id>/undo": "takes the id of a decision, and where the moderator was",
    "DELETE /v1/moderation/filters/<uuid:filter_id>": "takes nothing",
    "POST /desk/filters/<uuid:filter_id>/delete": "takes where the moderator was",
    "POST /v1/sites/<site>/policy-preview": "tries settings, and stores nothing",
    "POST /v1/moderation/comments/<uuid:comment_id>/pin": "takes nothing",
    "DELETE /v1/moderation/comments/<uuid:comment_id>/pin": "takes nothing",
    "POST /desk/comments/<uuid:comment_id>/pin": "takes one of two words, and where the moderator was",
    "PATCH /v1/rules/<uuid:rule_id>": "takes a time",
    "DELETE /v1/rules/<uuid:rule_id>": "takes nothing",
    "DELETE /v1/webhooks/endpoints/<uuid:endpoint_id>": "takes nothing",
    "POST /v1/webhooks/endpoints/<uuid:endpoint_id>/rotate": "takes nothing",
    "POST /v1/webhooks/endpoints/<uuid:endpoint_id>/test": "takes nothing",
    "POST /v1/webhooks/endpoints/<uuid:endpoint_id>/enable": "takes nothing",
    "POST /v1/webhooks/endpoints/<uuid:endpoint_id>/recover": "takes a time",
    "POST /v1/webhooks/deliveries/<uuid:delivery_id>/redeliver": "takes nothing",
    "POST /desk/rules/<uuid:rule_id>": "takes one of six words, a day, and where the moderator was",
    "POST /v1/people/lookup": "takes an address, and stores that somebody asked",
    "POST /desk/people/lookup": "takes an address, and stores that somebody asked",
    "POST /desk/comments/<uuid:comment_id>/reveal": "takes only where the moderator was",
    "POST /desk/sign-out": "takes nothing",
    "DELETE /v1/tokens/<uuid:token_id>": "takes nothing",
    "PATCH /v1/moderators/<uuid:moderator_id>": "takes one of three words",
    "DELETE /v1/moderators/<uuid:moderator_id>": "takes nothing",
    "DELETE /v1/moderators/invites/<uuid:invite_id>": "takes nothing",
    "POST /desk/sign-in/code": "takes a code, which is compared, and shown nowhere",
    "POST /desk/account/passkey": "takes a password, which is compared, and shown nowhere",
    "POST /desk/sign-in/passkey": "takes an answer of a device, which is verified, and shown nowhere",
}
"""Doors that change something without storing words, and why."""

NO_WORDS_IN_SETTINGS = {
    "origins": "are origins, held to their form (tests/sites)",
    "mode": "is one of three words",
    "schema_type": "is one of schema.org's types",
    "language": "is a BCP 47 tag",
    "hold_words": "are looked up, and shown to the site's people as settings are (tests/desk)",
    "spam_words": "are looked up, and shown to the site's people as settings are (tests/desk)",
    "limit_submit": "is a limit, held to its form (tests/moderation)",
    "limit_page": "is a limit, held to its form (tests/moderation)",
    "limit_site": "is a limit, held to its form (tests/moderation)",
}

NO_WORDS_IN = {
    **NO_WORDS_IN_SETTINGS,
    "url": "is an address in ASCII, held to its form (tests/outbound)",
    "rating_max": "is a number",
    "rating_halves": "is yes or no",
    "depth": "is a number",
    "close_after_days": "is a number",
    "hold_after_reports": "is a number",
    "max_links": "is a number",
    "target_age_minutes": "is a number",
    "retention_days": "is a number",
    "password": "is hashed, and shown nowhere",
    "csrf_token": "is compared, and shown nowhere",
    "form_token": "is opened with a key, and shown nowhere",
    "seen": "is compared with a version, and shown nowhere",
    "items.if_match": "is compared with a version, and shown nowhere",
    "at": "is one of two words",
    "decision": "is one of five words",
    "device": "is held to a form, and only a digest of it is kept",
    "honeypot": "is seen to be filled in, and not kept",
    forms.HONEYPOT: "is seen to be filled in, and not kept",
    "site": "is the key of a site that there is",
    "page_id": "is an id",
    "comment": "is an id",
    "revision": "is an id",
    "token": "is compared, and shown to whoever sent it",
    "deed": "is one of a few words",
    "kind": "is one of five words",
    "value": "is a name in ASCII, a range of addresses or a label, held to its form (tests/rules)",
    "until": "is a time",
    "sure": "is one word",
    "cursor": "is opened with a key",
    "code": "is lower-case letters, digits and -",
    "reasons.code": "is lower-case letters, digits and -",
    "reason_code": "is the code of a reason that the site has",
    "share": "is the key of a site that there is",
    "filter.alike": "is a host in ASCII, or a digest",
    "filter.site": "is the key of a site that there is",
    "filter.page": "finds comments, and is not kept",
    "filter.q": "finds comments; a saved one is shown as that of an address is",
    "filter.reason": "finds comments; a saved one is shown as that of an address is",
    "filter.claimed": "is one of two words",
    "filter.network": "finds comments; kept until a job is done, and shown nowhere",
    "submit": "is a button",
    "old": "is a password, and shown nowhere",
    "credential": "is an answer of a device, and shown nowhere",
    "id": "is an id",
    "key": "is an id that is kept as a digest, so that a form counts once",
    "edited": "is a time, compared and not kept",
    "power": "is one of three words",
    "role": "is one of three words",
    "days": "is a number",
    "invite": "is compared, and shown to whoever sent it",
    "accept": "is one word",
    "next": "is an address of the desk, held to its form",
    "events": "are types of events that there are",
    "format": "is one of four words",
    "include_email": "is yes or no",
    "since": "is a time",
    "state": "is one of four words",
}
"""Fields without words that anybody is shown, and why."""

NO_WORDS_OF_COMMANDS = {
    "site_key": "is the key of a site that there is",
    "key": "is lower-case letters, digits, - and _, or the key of a site that there is",
    "origins": "are origins, held to their form (tests/sites)",
    "email": "is an address; moderators' addresses are shown to nobody",
    "noted": "is held to the form of a head (tests/cli)",
    "maps": "leads to addresses, held to their form as those of pages are",
    "host": "is listened at",
    "page": "is printed, escaped, and stored nowhere (tests/cli)",
    "config_prefix": "is flask-smorest's own",
    "output_file": "is flask-smorest's own",
}
"""Options of commands without words that anybody is shown, and why."""

SETTINGS = {"name", "privacy_text", "privacy_url"}

NO_WORDS_IN_COLUMNS = {
    "key", "mode", "schema_type", "language", "origins", "hold_words", "spam_words", "url", "website", "status",
    "network_label", "body_format", "decided_by", "undone_by", "source", "source_id", "state", "by", "code", "detail",
    "words", "chain", "actor", "action", "decision", "filter", "results", "site_ids", "email", "password",
    "fs_uniquifier", "scopes", "alike_host", "alike_text", "reason_code", "type", "data", "avatar", "format", "report",
    "role", "kind", "value", "effect", "created_by", "browser", "limit_submit", "limit_page", "limit_site",
    "events", "disabled_because", "error",
}  # fmt: skip
"""Names of columns that hold keys, addresses in ASCII, sentences of ours, or copies."""

NOT_SHOWN = {
    ("bulk_decisions", "name"), ("bulk_decisions", "reason"), ("undo_entries", "decided_name"),
    ("undo_entries", "reason"), ("claims", "name"), ("key_proofs", "name"), ("comment_reports", "reason"),
}  # fmt: skip
"""What a job, or undoing, will write into comments, as a decision does; copies of names; one of five words."""


def doors(app: Flask) -> dict[str, set[str]]:
    """Every door that changes something, with the fields of it that hold texts."""
    document = sent(app.test_client(), "/openapi.json").json or {}
    found: dict[str, set[str]] = {}
    for name, rule in rules(app):
        method = name.partition(" ")[0]
        if method in ("POST", "PUT", "PATCH", "DELETE"):
            described = document["paths"].get(_described(rule.rule), {}).get(method.lower(), {})
            found[name] = set(FORMS.get(name, ())) or set(_of_document(described, document)) or _of_page(app, rule.rule)
    return found


def _described(rule: str) -> str:
    return rule.replace("<uuid:", "<").replace("<", "{").replace(">", "}")


def _of_document(described: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "schema" in body:
        yield from _texts(body["schema"], document, "")


def _texts(schema: Mapping[str, Any], document: Mapping[str, Any], path: str) -> Iterator[str]:
    """The paths of a shape's texts; ids, numbers and choices are none."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for name, inner in schema.get("properties", {}).items():
        yield from _texts(inner, document, f"{path}.{name}".lstrip("."))
    if "items" in schema:
        yield from _texts(schema["items"], document, path)
    kinds = schema.get("type", "")
    is_text = "string" in ([kinds] if isinstance(kinds, str) else kinds) and "enum" not in schema
    if is_text and schema.get("format") != "uuid":
        yield path


def _of_page(app: Flask, path: str) -> set[str]:
    """The fields of a form that a page of the same address shows."""
    page = app.test_client().get(path) if "<" not in path else None
    names = {one.get("name") for one in by_lexbor(page.text) if one.tag in ("input", "textarea")} if page else set()
    return names - {""}


@contextmanager
def watched(app: Flask) -> Iterator[set[tuple[str, str]]]:
    """Collects each (door, field) in which a request brings the mark."""
    seen: set[tuple[str, str]] = set()

    def look(_app: Flask, **_more: Any) -> None:
        name = f"{request.method} {request.url_rule.rule if request.url_rule else ''}"
        told = request.get_json(silent=True) if request.is_json else request.form.to_dict()
        seen.update((name, path) for path in _marked(told, ""))

    with request_finished.connected_to(look, app):
        yield seen


def _marked(told: Any, path: str) -> Iterator[str]:
    if isinstance(told, dict):
        for name, value in told.items():
            yield from _marked(value, f"{path}.{name}".lstrip("."))
    elif isinstance(told, list):
        for one in told:
            yield from _marked(one, path)
    elif isinstance(told, str) and MARK in told:
        yield path


def options(app: Flask) -> Iterator[tuple[str, str]]:
    """Every (command, option) that takes a text or a file."""
    for name, command in _commands(app.cli, ""):
        for one in command.params:
            is_text = isinstance(one.type, click.types.StringParamType | click.Path | click.File)
            if is_text or type(one.type).__module__.startswith("service."):
                yield name, one.name or ""


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for inner, one in command.commands.items():
            yield from _commands(one, f"{name} {inner}".strip())
    else:
        yield name, command


def settings() -> set[str]:
    """A site's settings that are texts."""
    return {name for name, one in SiteSettings().fields.items() if one.__class__.__name__ in ("String", "Url", "List")}


def columns() -> Iterator[tuple[str, str]]:
    """Every column that holds text."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, String | JSON):
                yield table.name, column.name
