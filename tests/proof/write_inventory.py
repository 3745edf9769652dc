"""What can be written at all, taken from the code: doors and their fields, commands and their options, columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
from flask import Flask, Response, request, request_finished
from sqlalchemy import JSON, String

from service.db import Base
from service.sites.schemas import SiteSettings

from .fields import FORMS
from .parsers import by_lexbor
from .world import rules, sent

MARK = "<zq>"
"""Stands in every payload of these tests: a field that held it was written to."""

NO_WORDS_FILE = Path(__file__).parent / "no_words.txt"

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
    "api_tokens": "scopes", "audit_entries": "action actor chain", "audit_heads": "chain", "authors": "avatar",
    "bulk_decisions": "actor decision filter reason_code results site_ids state undone_by",
    "comment_reports": "network_label", "comment_revisions": "body_format by state", "comment_search": "words",
    "comment_votes": "network_label",
    "comments":
        "alike_host alike_text body_format decided_by network_label reason_code source source_id status website",
    "events": "data type", "hold_reasons": "code detail", "imported_addresses": "key",
    "schema_reach": "oldest", "imports": "actor format report", "invites": "by role", "memberships": "role",
    "moderators": "email fs_uniquifier password", "page_addresses": "key", "pages": "key url",
    "reject_reasons": "code", "rules": "created_by effect kind value", "saved_filters": "filter",
    "sign_ins": "browser",
    "sites": "hold_words key language limit_page limit_site limit_submit mode origins schema_type spam_words",
    "undo_entries": "decided_by reason_code status", "webhook_attempts": "error", "webhook_deliveries": "state",
    "webhook_endpoints": "created_by disabled_because events format url",
}  # fmt: skip
"""Columns of each table that hold keys, addresses in ASCII, sentences of ours, or copies."""

NOT_SHOWN = {
    ("bulk_decisions", "name"), ("bulk_decisions", "reason"), ("undo_entries", "decided_name"),
    ("undo_entries", "reason"), ("claims", "name"), ("key_proofs", "name"), ("comment_reports", "reason"),
}  # fmt: skip
"""What a job, or undoing, will write into comments, as a decision does; copies of names; one of five words."""


def no_words() -> dict[str, dict[str, str]]:
    """no_words.txt: each door, and why nobody is shown any words of a field of it."""
    found: dict[str, dict[str, str]] = {}
    for line in NO_WORDS_FILE.read_text().splitlines():
        if line and not line.startswith("#"):
            method, rule, names, reason = line.split(maxsplit=3)
            fields = found.setdefault(f"{method} {rule}", {})
            assert not fields.keys() & set(names.split(",")), f"{line} is twice in no_words.txt"
            fields.update(dict.fromkeys(names.split(","), reason))
    return found


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
    """Collects each (door, field) in which a request brings the mark, and is not refused."""
    seen: set[tuple[str, str]] = set()

    def look(_app: Flask, response: Response, **_more: Any) -> None:
        if response.status_code >= 400:
            return
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
    elif isinstance(told, str) and MARK in unquote(told):
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
