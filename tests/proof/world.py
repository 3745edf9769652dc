"""Two sites with comments in every state, people with every role on them, and marks by which a leak is seen."""

from __future__ import annotations

import contextvars
import copy
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Table, insert, select
from werkzeug.datastructures import Headers
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from service.accounts import invites
from service.accounts import operations as accounts
from service.accounts.models import ApiToken
from service.accounts.operations import NewToken
from service.db import Base, db, now, transaction, writing
from service.sites.models import Site
from service.webhooks import outbox
from service.webhooks import queries as hooks
from service.webhooks.models import Attempt
from tests.conftest import _KEPT, add_site
from tests.desk.conftest import PASSWORD

from .doors import Door

STATES = {"approved": "approve", "rejected": "reject", "spam": "spam", "deleted": "delete", "pending": None}
ALL_SCOPES = ("read", "moderate", "manage")
STYLE = "embed.css"


@dataclass
class Said:
    """A comment as it was sent: what must never be seen again."""

    email: str
    ip: str
    id: str = ""
    token: str = ""


@dataclass
class Place:
    """One site and what is on it. `mark` stands in every text that only this site knows."""

    site: Site
    mark: str = field(default_factory=lambda: f"only{uuid4().hex}")
    tokens: dict[str, str] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    link: str = ""
    """The secret of an invitation that is open."""

    addresses: list[str] = field(default_factory=lambda: [canary(number) for number in range(7)])
    """As many as there are comments at first; later ones are by the same people."""

    @property
    def page(self) -> str:
        return f"/pages/{self.mark}"

    def again(self) -> Place:
        """The same site, read anew, with lists that a test may add to."""
        said = [replace(one) for one in self.said]
        site = db.session.get_one(Site, self.site.id)
        return replace(self, site=site, said=said, tokens=dict(self.tokens), ids=dict(self.ids))


def canary(number: int) -> str:
    """An address that stands nowhere else; every other one in capitals, as some people write."""
    spelling = (str.lower, str.title)[number % 2]
    return f"{spelling(f'c{uuid4().hex}')}@{spelling('leak-canary.example.org')}"


class World:
    """The two sites, and a way to send the request of a door about one of them as anybody."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.typed = canary(0)
        self.password = PASSWORD
        """What somebody types at the sign-in page, which shows it to them again."""
        self.a, self.b = (_site(app, name) for name in ("blog", "zine"))
        for number, place in enumerate((self.a, self.b)):
            self._people(place)
            self._talk(place, number)
        with transaction():
            admin = accounts.add_moderator("admin@staff.example.org", "Admin", PASSWORD, actor="test", is_admin=True)
            self.admin = _token(admin)
        with transaction():
            outbox.release_due()
        drawn = sent(app.test_client(), "/").text
        self.style = next(word for word in drawn.split('"') if word.startswith("/style/"))
        self.rows = stored_rows()
        self.turn = int(db.engine.dialect.name == "postgresql")
        """0 or 1: where there is time for a share only, each database takes another one."""

    def again(self) -> World:
        """The same world put back into empty tables: a tenth of the time that building it takes."""
        with writing() as connection, connection.begin():
            for table, rows in self.rows.items():
                connection.execute(insert(table), rows)
        made = copy.copy(self)
        made.a, made.b = self.a.again(), self.b.again()
        return made

    def _people(self, place: Place) -> None:
        key = place.site.key
        with transaction():
            for role in ("viewer", "moderator", "owner"):
                person = accounts.add_moderator(f"{role}@{key}.example.org", f"{role} of {key}", PASSWORD, actor="test")
                accounts.grant(person, place.site.id, role, actor="test")
                place.tokens[role] = _token(person)
                if role == "moderator":
                    place.tokens["reader"] = _token(person, "read")
                    place.tokens["revoked"] = _token(person)
            last = db.session.query(ApiToken).order_by(ApiToken.created_at.desc()).filter_by(
                digest=accounts.digest_of(place.tokens["revoked"])
            )  # fmt: skip
            accounts.revoke_token(last.one(), actor="test")
            mine = NewToken("theirs", ("read",), site_id=place.site.id)
            invite = invites.invite(place.site.id, "viewer", place.mark, actor=f"moderator:{person.id}")
            place.link = invite.secret
            place.ids |= {
                "token": str(accounts.issue_token(person, mine, actor="test").token.id),
                "invite": str(invites.invite(place.site.id, "viewer", "", actor=f"moderator:{person.id}").invite.id),
                "member": self.member(place),
            }

    def member(self, place: Place) -> str:
        """Somebody else who reads on a site. Call inside a transaction."""
        person = accounts.add_moderator(f"m{uuid4().hex}@{place.site.key}.example.org", "Kim", None, actor="test")
        accounts.grant(person, place.site.id, "viewer", actor="test")
        return str(person.id)

    def _talk(self, place: Place, number: int) -> None:
        """A comment in each state, a reply, an edit, a revealed address, a bulk decision, a vote, a report."""
        for state, decision in STATES.items():
            place.ids[state] = self.say(place, number)
            if decision:
                self.ask(place, "moderator", "POST", f"/v1/moderation/comments/{place.ids[state]}/decision",
                         json={"decision": decision, "note": place.mark, "reason": place.mark})  # fmt: skip
        reply = place.ids["reply"] = self.say(place, number, parent_id=place.ids["approved"])
        self.ask(place, "moderator", "POST", f"/v1/moderation/comments/{reply}/decision", json={"decision": "approve"})
        self.ask(place, "moderator", "PATCH", f"/v1/moderation/comments/{reply}", headers={"If-Match": "*"},
                 json={"body": f"Edited: {place.mark}"})  # fmt: skip
        self.ask(place, "moderator", "POST", f"/v1/moderation/comments/{place.ids['approved']}/reveal")
        path = f"/v1/moderation/comments/{place.ids['approved']}"
        self.ask(place, "moderator", "POST", f"{path}/reply", json={"body": f"Thanks: {place.mark}"})
        self.ask(place, "moderator", "POST", f"{path}/notes", json={"note": place.mark})
        for door, more in (("vote", {}), ("report", {"reason": "abuse", "note": place.mark})):
            self.react(place, door, number, more)
        chosen = {"site": place.site.key, "page": "/never/seen"}
        bulk = {"decision": "spam", "filter": chosen, "count": 0}
        done = self.ask(place, "moderator", "POST", "/v1/moderation/decisions", json=bulk)
        pages = self.ask(place, "moderator", "GET", f"/v1/pages?site={place.site.key}")
        rejected = self.ask(place, "moderator", "GET", f"/v1/moderation/comments/{place.ids['rejected']}")
        place.ids |= {"bulk": done.json["id"], "page_id": pages.json["pages"][0]["id"]}
        place.ids["filter"] = self.keep(place)
        place.ids |= {"decided": rejected.json["decision_id"], "rule": self.rule(place)}
        place.ids["endpoint"] = self.endpoint(place)
        place.ids["delivery"] = self.delivery(place)

    def say(self, place: Place, number: int = 0, **more: Any) -> str:
        """Leave a comment with an address and an IP of its own; its id."""
        count = len(place.said) + 1
        said = Said(
            email=place.addresses[count % len(place.addresses)],
            ip=f"203.0.113.{number * 100 + count % 9}" if count % 3 else f"2001:db8:{number}:{count % 9}::1",
        )
        body = {
            "page": place.page, "page_title": place.mark, "name": f"{place.mark} {count}", "email": said.email,
            "website": f"https://{place.mark}.example.org/", "body": f"{place.mark}, the {count}.",
        }  # fmt: skip
        path = f"/v1/sites/{place.site.key}/comments"
        client, here = self.app.test_client(), {"REMOTE_ADDR": said.ip}
        answer = sent(client, path, method="POST", json=body | more, environ_base=here)
        assert answer.status_code == 202, answer.text
        said.id, said.token = answer.json["id"], answer.json["author_token"]
        place.said.append(said)
        return said.id

    def wish(self, place: Place) -> str:
        """An author wants a published text changed; the id of the change."""
        (token,) = (one.token for one in place.said if one.id == place.ids["approved"])
        told = {"id": place.ids["approved"], "body": f"{place.mark}, better: {uuid4().hex}"}
        headers = {"Authorization": f"Author {token}"}
        answer = sent(self.app.test_client(), "/v1/mine", method="PATCH", json=told, headers=headers)
        assert answer.status_code == 200, answer.text
        path = f"/v1/moderation/comments/{place.ids['approved']}"
        revisions = self.ask(place, "moderator", "GET", path).json["revisions"]
        return next(str(one["id"]) for one in revisions if one["state"] == "held")

    def decided(self, place: Place) -> tuple[str, str]:
        """A comment on which somebody has just decided, and the id of the decision."""
        comment = self.say(place)
        path = f"/v1/moderation/comments/{comment}/decision"
        done = self.ask(place, "moderator", "POST", path, json={"decision": "spam"})
        return comment, done.json["decision_id"]

    def keep(self, place: Place) -> str:
        """An owner shares a filter with the moderators of the site; its id."""
        told = {"name": f"Kept {uuid4().hex}", "filter": {"q": uuid4().hex}, "share": place.site.key}
        for one in self.ask(place, "owner", "GET", "/v1/moderation/filters").json["filters"][10:]:
            self.ask(place, "owner", "DELETE", f"/v1/moderation/filters/{one['id']}")
        return str(self.ask(place, "owner", "POST", "/v1/moderation/filters", json=told).json["id"])

    def rule(self, place: Place) -> str:
        """A rule of the site about nobody who is there; its id."""
        about = {"kind": "domain", "site": place.site.key, "value": f"d{uuid4().hex}.example"}
        made = self.ask(place, "owner", "POST", "/v1/rules", json=about | {"effect": "hold", "note": place.mark})
        return str(made.json["id"])

    def endpoint(self, place: Place) -> str:
        """Where nothing but tests are sent; its id."""
        told = {"site": place.site.key, "url": f"https://{place.mark}.example.net/", "events": ["ping"]}
        path = "/v1/webhooks/endpoints"
        for one in self.ask(place, "owner", "GET", f"{path}?site={place.site.key}").json["endpoints"][5:]:
            if one["id"] != place.ids.get("endpoint"):
                self.ask(place, "owner", "DELETE", f"{path}/{one['id']}")
        return str(self.ask(place, "owner", "POST", path, json=told | {"note": place.mark}).json["id"])

    def delivery(self, place: Place) -> str:
        """A test that was given up, so that it can be sent again; its id."""
        path = f"/v1/webhooks/endpoints/{place.ids['endpoint']}"
        self.ask(place, "owner", "POST", f"{path}/test")
        with transaction():
            outbox.release_due()
        with transaction():
            (one, *_) = hooks.deliveries(UUID(place.ids["endpoint"]), "pending", None, 1)
            one.state, one.next_at, one.done_at = "failed", None, now()
            db.session.add(Attempt(delivery_id=one.id, endpoint_id=one.endpoint_id, milliseconds=7, status=500,
                                   excerpt=place.mark))  # fmt: skip
        return str(one.id)

    def published(self, place: Place) -> str:
        """A published comment on a page of its own; its id."""
        comment = self.say(place, page=f"/pages/{uuid4().hex}")
        path = f"/v1/moderation/comments/{comment}/decision"
        self.ask(place, "moderator", "POST", path, json={"decision": "approve"})
        return comment

    def react(self, place: Place, door: str, number: int, more: dict[str, str]) -> None:
        """Somebody votes for what is published, or reports it."""
        path = f"/v1/sites/{place.site.key}/comments/{place.ids['approved']}/{door}"
        here = {"REMOTE_ADDR": f"192.0.{number}.7"}
        json_ = {"device": uuid4().hex} | more
        answer = sent(self.app.test_client(), path, method="POST", json=json_, environ_base=here)
        assert answer.status_code < 300, answer.text

    def ask(self, place: Place, role: str, method: str, path: str, **more: Any) -> TestResponse:
        """Call the API as somebody of the site; it must succeed."""
        headers = {"Authorization": f"Bearer {place.tokens[role]}"} | more.pop("headers", {})
        answer = sent(self.app.test_client(), path, method=method, headers=headers, **more)
        assert answer.status_code < 300, answer.text
        return answer

    def send(self, door: Door, place: Place, *, client: FlaskClient | None = None, **headers: str) -> TestResponse:
        """The request of a door about a site; `headers` say who asks, with _ for -."""
        names = self.names(door, place)
        told = Headers({"Accept": door.accept} | filled(dict(door.headers), names))
        told.update({name.replace("_", "-"): value for name, value in headers.items()})
        return sent(
            client or self.app.test_client(),
            filled(door.path, names),
            method=door.method,
            headers=told,
            json=filled(door.json, names) if door.json is not None else None,
            data=filled(door.form, names) if door.form is not None else None,
        )

    def names(self, door: Door, place: Place) -> dict[str, str]:
        """What the names in a door's request stand for: a new comment only where it is asked for."""
        fresh, decision = self.decided(place) if door.undoes else ("", "")
        if "{fresh}" in door.path and not fresh:
            fresh = self.say(place)
        held = self.wish(place) if door.wants_change else ""
        whose = fresh or place.ids["approved"]
        author = next((one.token for one in place.said if one.id == whose), "")
        here = {"site": place.site.key, "page": place.page, "style": self.style, "author": author, "held": held}
        here |= {"decision": decision, "kept": self.keep(place) if "{kept}" in door.path else "", "link": place.link}
        made = {"new_rule": self.rule, "new_endpoint": self.endpoint, "published": self.published}
        here |= {name: make(place) if f"{{{name}}}" in door.path else "" for name, make in made.items()}
        if "{newcomer}" in door.path:
            with transaction():
                here["newcomer"] = self.member(place)
        return (
            place.ids
            | here
            | {"fresh": fresh, "unique": uuid4().hex, "email": place.addresses[0], "typed": self.typed}
            | {"password": self.password}
        )


def sent(client: FlaskClient, path: str, **more: Any) -> TestResponse:
    """One request in a context of its own, as a server makes it; read to its end, and closed.

    Its JSON is ASCII, since half a pair of surrogates has no other form.
    """
    if more.get("json") is not None:
        more |= {"data": json.dumps(more.pop("json"), default=str), "content_type": "application/json"}

    def send() -> TestResponse:
        answer = client.open(path, **more)
        answer.get_data()
        answer.close()
        return answer

    return contextvars.Context().run(send)


def tables() -> list[Table]:
    """All but the one in which the database notes changes to the others."""
    return [one for one in Base.metadata.sorted_tables if one.name != "public_changes"]


def stored_rows() -> dict[Table, list[dict[str, Any]]]:
    """All that the tables hold, numbers too, in an order in which it can be put back: parents before replies."""
    found = {}
    with db.engine.connect() as connection:
        for table in tables():
            rows = connection.execute(select(table).order_by(*table.primary_key)).mappings()
            if table.name not in _KEPT and (kept := [dict(row) for row in rows]):
                found[table] = kept
    return found


def _site(app: Flask, key: str) -> Place:
    return Place(add_site(key, [f"https://{key}.example.org"]))


def _token(moderator: Any, *scopes: str) -> str:
    return accounts.issue_token(moderator, NewToken("test", scopes or ALL_SCOPES), actor="test").secret


def filled(template: Any, names: dict[str, str]) -> Any:
    """A template with its names filled in, however deep they are."""
    if isinstance(template, str):
        return template.format_map(names) if "{" in template or "}" in template else template
    if isinstance(template, list):
        return [filled(one, names) for one in template]
    if isinstance(template, dict):
        return {name: filled(one, names) for name, one in template.items()}
    return template


def rules(app: Flask) -> Iterator[tuple[str, Rule]]:
    """Every method of every rule, but those that Flask answers by itself."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {rule.rule}", rule


_NOTED = {"api_tokens": "last_used_at", "sign_ins": "seen_at"}
"""What reading leaves behind: when somebody was last here."""


def snapshot() -> dict[str, str]:
    """Each table as a digest of all its rows."""
    found = {}
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "postgresql":  # which digests by itself, and tells all in one round trip
            return dict(connection.exec_driver_sql(_all_questions()).cursor.fetchall())
        for name, question in _questions().items():
            # Asked past SQLAlchemy, which would take longer than both databases.
            lines = sorted(map(repr, connection.exec_driver_sql(question).cursor.fetchall()))
            found[name] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return found


@cache
def _questions() -> dict[str, str]:
    """For each table the SQL that reads all of it but what is noted by the way."""
    noted = _NOTED.get
    told = {one.name: [it.name for it in one.columns if it.name != noted(one.name)] for one in tables()}
    return {name: f"SELECT {', '.join(columns)} FROM {name}" for name, columns in told.items()}


@cache
def _all_questions() -> str:
    digest = "SELECT '{}', md5(coalesce(string_agg(line::text, ';' ORDER BY line::text), '')) FROM ({}) AS line"
    return " UNION ALL ".join(digest.format(name, question) for name, question in _questions().items())


def changed(before: dict[str, str]) -> list[str]:
    """The tables that are no more what they were."""
    now = snapshot()
    return [name for name in before if before[name] != now[name]]


SOME_ID = UUID("0190f0f0-0000-7000-8000-000000000000")
