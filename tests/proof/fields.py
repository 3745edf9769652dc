"""The names that pages hear: of the fields of their forms, and of what stands in their addresses.

The document of the API tells those of the API; of pages this is the one list, for all figures that need one. What a
page asks for while it answers is looked at, and has to be listed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import marshmallow as ma
from flask import Flask, request
from werkzeug.datastructures import ImmutableMultiDict

from service.desk import account, account_schemas, team, webhooks
from service.desk import people_schemas as people
from service.desk import schemas as desk
from service.desk import webhook_schemas as hooks
from service.doors import StrictParser
from service.embed import forms, mine
from service.embed import schemas as embed
from service.sites.schemas import SiteSettings

ACCOUNT, TEAM, WEBHOOK = (
    frozenset({"deed"}.union(*(shape().fields for shape, _ in page._DEEDS.values())))
    for page in (account, team, webhooks)
)
"""The fields of pages that have several forms."""

_PLACE = frozenset(desk.Place().fields)
_SIGN_IN = frozenset({"email", "password", "next", "csrf_token", "submit"})

FORMS: Mapping[str, frozenset[str]] = {
    "POST /embed/<site>/comments": frozenset(
        {*forms._HIDDEN, *forms.SHOWN, *forms._WORDPRESS, "comment_post_ID", "form_token", "preview", forms.HONEYPOT}
    ),
    "POST /mine": frozenset(mine.Typed.__dataclass_fields__),
    "POST /desk/comments/<uuid:comment_id>": frozenset(desk.Edit().fields),
    "POST /desk/comments/<uuid:comment_id>/decision": frozenset(desk.Decide().fields),
    "POST /desk/comments/<uuid:comment_id>/reveal": _PLACE,
    "POST /desk/comments/<uuid:comment_id>/revision": frozenset(desk.Settle().fields),
    "POST /desk/comments/<uuid:comment_id>/undo": frozenset(desk.Undo().fields),
    "POST /desk/comments/<uuid:comment_id>/notes": frozenset(desk.Noted().fields),
    "POST /desk/comments/<uuid:comment_id>/reply": frozenset(desk.Reply().fields),
    "POST /desk/comments/<uuid:comment_id>/pin": frozenset(desk.Pin().fields),
    "POST /desk/people/lookup": _PLACE | people.LookUp().fields.keys(),
    "POST /desk/people/<uuid:comment_id>/rules": frozenset(people.RuleFrom().fields),
    "POST /desk/rules": frozenset(people.RuleAbout().fields),
    "POST /desk/rules/<uuid:rule_id>": frozenset(people.RuleEnd().fields),
    "POST /desk/claims": frozenset(desk.Take().fields),
    "POST /desk/decisions": frozenset(desk.Many().fields),
    "POST /desk/decisions/<uuid:decision_id>/undo": _PLACE,
    "POST /desk/filters": frozenset(desk.Save().fields),
    "POST /desk/filters/<uuid:filter_id>/delete": _PLACE,
    "POST /desk/reasons": frozenset(desk.Reasons().fields),
    "POST /desk/sites/<site>": frozenset({*SiteSettings().fields, *desk.Settings().fields}),
    "POST /desk/account": ACCOUNT | {"csrf_token"},
    "POST /desk/account/passkey": frozenset({*account_schemas.Prove().fields, "csrf_token"}),
    "POST /desk/team": TEAM,
    "POST /desk/webhooks": frozenset({*hooks.NewWebhook().fields, "since"}),
    "POST /desk/webhooks/<uuid:endpoint_id>": WEBHOOK,
    "POST /desk/sign-up": frozenset({"invite", "accept", "email", "name", "password", "csrf_token"}),
    "POST /desk/sign-in": _SIGN_IN,
    "POST /desk/sign-in/code": frozenset({"code", "csrf_token"}),
    "POST /desk/sign-in/passkey": frozenset({"credential", *_SIGN_IN}),
    "POST /desk/sign-out": frozenset({"next", "csrf_token"}),
}
"""Every door that takes a form, and the names that it knows; it does not hear others."""

PAGES: Mapping[str, frozenset[str]] = {
    "GET /embed/<site>": frozenset(embed.ThreadQuery().fields),
    "GET /embed/<site>/form": frozenset(embed.FormQuery().fields),
    "GET /desk/": frozenset(desk.Queue().fields),
    "GET /desk/waiting": frozenset(desk.News().fields),
    "GET /desk/comments/<uuid:comment_id>": _PLACE,
    "GET /desk/decisions/<uuid:decision_id>": _PLACE,
    "GET /desk/sites/<site>": frozenset(desk.Saved().fields),
    "GET /desk/audit": frozenset(desk.Audit().fields),
    "GET /desk/numbers": frozenset(desk.Numbers().fields),
    "GET /desk/filters": frozenset(desk.Filters().fields),
    "GET /desk/rules": frozenset(people.RulesPage().fields),
    "GET /desk/team": frozenset(account_schemas.TeamOf().fields),
    "GET /desk/account": frozenset(account_schemas.Done().fields),
    "GET /desk/webhooks": frozenset(hooks.Webhooks().fields),
    "GET /desk/webhooks/<uuid:endpoint_id>": frozenset(hooks.Webhook().fields),
    "GET /desk/sign-in": frozenset({"next"}),
    "POST /desk/sign-in": frozenset({"next"}),
    "POST /desk/sign-out": frozenset({"next"}),
}
"""What pages hear of their addresses."""

_LONG = "a longer secret than that, {unique}"
_PROVEN = {"old": "{password}"}
_NOBODY = "0190f0f0-0000-7000-8000-000000000001"
OTHER_FORMS: Mapping[str, tuple[dict[str, str], ...]] = {
    "POST /desk/account": (
        _PROVEN | {"deed": "password", "password": _LONG},
        {"deed": "end", "id": _NOBODY},
        _PROVEN | {"deed": "token", "name": "For {unique}", "power": "read", "site": "{site}", "days": "9"},
        {"deed": "revoke", "id": _NOBODY},
        _PROVEN | {"deed": "codes-start"},
        {"deed": "codes-confirm", "code": "000000"},
        _PROVEN | {"deed": "codes-off"},
        _PROVEN | {"deed": "recovery"},
        _PROVEN | {"deed": "passkey", "name": "A key", "credential": "x"},
        {"deed": "passkey-remove", "id": _NOBODY},
    ),
    "POST /desk/team": (
        {"deed": "role", "site": "{site}", "id": "{member}", "role": "viewer"},
        {"deed": "remove", "site": "{site}", "id": _NOBODY},
        {"deed": "take-back", "site": "{site}", "id": _NOBODY},
    ),
    "POST /desk/webhooks/<uuid:endpoint_id>": (
        {"deed": "test", "key": _NOBODY},
        {"deed": "rotate", "key": _NOBODY},
        {"deed": "recover", "key": _NOBODY, "since": "2020-01-01T00:00:00Z"},
        {"deed": "again", "key": _NOBODY, "id": "{delivery}"},
    ),
    "POST /desk/sign-up": (
        {
            "invite": "{link}", "accept": "yes", "email": "n{unique}@new.example.org", "name": "Kim {unique}",
            "password": _LONG,
        },
    ),
    "POST /mine": (
        {"token": "{author}", "deed": "erase", "sure": "perhaps"},
        {"token": "{author}", "deed": "stop", "comment": "{approved}"},
        {"token": "{author}", "deed": "withdraw", "comment": _NOBODY, "seen": "*"},
        {"token": "{author}", "deed": "show", "cursor": "x"},
    ),
}  # fmt: skip
"""What else the pages of several forms send: what is not of the deed is not even read."""


@contextmanager
def asked(app: Flask) -> Iterator[set[tuple[str, str]]]:
    """Collects the names for which each page looks in a form or an address, whether they are sent or not."""
    seen: set[tuple[str, str]] = set()
    parse = StrictParser.parse

    def note(names: Iterable[Any]) -> None:
        if request.url_rule:
            seen.update((f"{request.method} {request.url_rule.rule}", str(name)) for name in names)

    def parsed(self: StrictParser, schema: Any, *args: Any, location: str = "json", **more: Any) -> Any:
        if location in ("form", "query"):
            note(schema.fields if isinstance(schema, ma.Schema) else schema().fields)
        return parse(self, schema, *args, location=location, **more)

    class Heard(ImmutableMultiDict[str, str]):
        """What was sent, which tells what it was asked for."""

        def __getitem__(self, key: str) -> str:
            note([key])
            return super().__getitem__(key)

        def __contains__(self, key: object) -> bool:
            note([key])
            return super().__contains__(key)

        def get(self, key: str, *args: Any, **more: Any) -> Any:
            note([key])
            return super().get(key, *args, **more)

        def getlist(self, key: str, *args: Any, **more: Any) -> Any:
            note([key])
            return super().getlist(key, *args, **more)

    with (
        patch.object(StrictParser, "parse", parsed),
        patch.object(app.request_class, "parameter_storage_class", Heard),
    ):
        yield seen


def unlisted(heard: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What pages asked for that is not listed above; those of the API have their document.

    A page that draws its form looks for what was typed there, when it is only read, too.
    """
    for door, name in sorted(heard):
        listed = {*FORMS.get(door.replace("GET ", "POST "), ()), *PAGES.get(door, ())}
        if not door.partition(" ")[2].startswith("/v1/") and name not in listed:
            yield f"{door} asks for {name}, which is not listed"
