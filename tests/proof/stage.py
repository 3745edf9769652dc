"""A site on which everything is written through its doors, and every place where what was written is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from flask import Flask
from werkzeug.test import TestResponse

from service.accounts import operations as accounts
from service.accounts.models import Moderator
from service.accounts.operations import NewToken
from service.accounts.principal import Principal, of_moderator
from service.db import Base, db, transaction
from service.desk.sites import SETTINGS
from service.sites.models import Site
from tests.conftest import ORIGIN, add_site
from tests.desk.conftest import HOME, PASSWORD, Browser

from .parsers import PARSERS, Parser, by_lexbor, essence, same, violations
from .twins import TYPED, WORD, Twin, harmless
from .world import ALL_SCOPES, sent

TALK = "/talk"
HTML = {"Accept": "text/html"}
_ATOM = "{http://www.w3.org/2005/Atom}"
_PEOPLE = {"sites", "moderators", "memberships", "api_tokens", "sign_ins", "key_proofs"}


@dataclass
class Said:
    """A comment as it was sent: what has to come back. `html` None: there is nothing to compare it with."""

    name: str
    body: str
    html: str | None = None
    title: str = ""
    page: str = TALK


class Stage:
    """One site, its admin with a token and a browser at the desk, and visitors."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()
        site = add_site("blog", [ORIGIN], mode="post", depth=2, rating_max=100.0, schema_type="Movie")
        self.site_id, self.origin = site.id, site.origins[0]
        with transaction():
            admin = accounts.add_moderator("admin@staff.example.org", "Admin", PASSWORD, actor="test", is_admin=True)
            self.who: Principal = of_moderator(admin)
            token = accounts.issue_token(admin, NewToken("test", ALL_SCOPES), actor="test").secret
        self.bearer = {"Authorization": f"Bearer {token}"}
        self.desk = Browser(app, app.test_client().response_wrapper, use_cookies=True)
        self.desk.sign_in("admin@staff.example.org")
        shown = by_lexbor(self.desk.get("/desk/").text)
        self.csrf = next(one.get("value") for one in shown if one.get("name") == "csrf_token")
        self.turn = int(db.engine.dialect.name == "postgresql")
        """0 or 1: what is written half on one database and half on the other takes turns by it."""
        self.visitors = 0
        self.echoes: dict[Any, Twin] = {}
        self.author: tuple[str, str] | None = None
        """A comment, and its author's token, once somebody asked for one."""

    def wipe(self) -> None:
        """Nothing is said any more; the site and its people stay."""
        self.author = None
        with db.engine.begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                if table.name not in _PEOPLE:
                    connection.execute(table.delete())
            for name, column, kept in (
                ("api_tokens", "moderator_id", self.who.moderator_id),
                ("sign_ins", "moderator_id", self.who.moderator_id),
                ("memberships", "moderator_id", self.who.moderator_id),
                ("moderators", "id", self.who.moderator_id),
                ("sites", "id", self.site_id),
            ):
                table = Base.metadata.tables[name]
                connection.execute(table.delete().where(table.c[column] != kept))

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        """The answer to the admin's token, read as JSON; its `errors` when it was refused for its fields."""
        told = self.bearer | ({"If-Match": "*"} if document is not None else {})
        answer = sent(self.client, path, method=method, json=document, headers=told)
        assert answer.status_code < 300 or answer.status_code == 422, (path, document, answer.text)
        return answer.json if answer.status_code != 204 else None

    def visit(self, path: str) -> str:
        """A page, as a visitor or at the desk; of a decision, the pieces that htmx puts in the place of a comment.

        `#late`: the site's settings, as they are sent by somebody who has not seen what they are by now.
        """
        if path.endswith("/decision"):
            return self._decided(path)
        if path.endswith("#late"):
            return self.settings({"seen": '"v0"'}).text
        if path.startswith("/mine#"):
            typed = {"token": path.partition("#")[2]}
            answer = sent(self.client, "/mine", method="POST", data=typed, headers=HTML)
        else:
            answer = self.desk.get(path) if path.startswith("/desk/") else sent(self.client, path, headers=HTML)
        assert answer.status_code == 200, (path, answer.text)
        return answer.text

    def _decided(self, path: str) -> str:
        """A decision that came too late, one that counts, and its end: all is as it was before."""
        late = self.at_desk(path, {"decision": "spam", "seen": '"v0"', "reason": "Late."}, by_htmx=True)
        done = [self.at_desk(path, {"decision": one}, by_htmx=True) for one in ("delete", "approve")]
        assert [one.status_code for one in (late, *done)] == [412, 200, 200], late.text
        return late.text + done[0].text

    def at_desk(self, path: str, typed: Mapping[str, str], *, by_htmx: bool = False) -> TestResponse:
        """A form of the desk, filled in."""
        form = {"csrf_token": self.csrf, "seen": "*"} | dict(typed)
        headers = {"Origin": HOME} | ({"HX-Request": "true"} if by_htmx else {})
        answer: TestResponse = self.desk.post(path, data=form, headers=headers)
        return answer

    def settings(self, typed: Mapping[str, str]) -> TestResponse:
        """The form of the site's settings, most of it empty."""
        form = {one.name: "" for one in SETTINGS} | {
            "name": "Blog", "mode": "pre", "origins": self.origin, "depth": "4", "language": "en",
            "retention_days": "9",
        }  # fmt: skip
        return self.at_desk("/desk/sites/blog", form | dict(typed))

    def say(self, values: Mapping[str, Any]) -> TestResponse:
        """A comment as JSON, by somebody new."""
        return self._post("/v1/sites/blog/comments", json=values)

    def say_fitting(self, values: dict[str, Any], fitting: Mapping[str, Any]) -> dict[str, Any]:
        """A comment as JSON, with fitting values in the place of those that are refused."""
        for _ in range(5):
            answer = self.say(values).json or {}
            if "id" in answer:
                return answer
            refused = set(answer["errors"])  # an address that is refused is called the page's, whichever it is
            refused |= {"page_url"} & values.keys() if "page" in refused else set()
            values |= {name: fitting[name] for name in refused}
        raise AssertionError(f"{values} was refused: {answer}")

    def fill_in(self, form: Mapping[str, str]) -> TestResponse:
        """A comment by a plain form."""
        return self._post("/embed/blog/comments", data=form, headers=HTML)

    def report(self, comment_id: str, note: str) -> TestResponse:
        """A reader's report, from a device and a network of its own."""
        values = {"device": f"device-number-{self.visitors:08}", "reason": "other", "note": note}
        return self._post(f"/v1/sites/blog/comments/{comment_id}/report", json=values)

    def change(self, token: str, comment_id: str, body: str, *, on_page: bool) -> TestResponse:
        """What an author wants a comment changed to."""
        if on_page:
            typed = {"token": token, "deed": "edit", "comment": comment_id, "body": body}
            return sent(self.client, "/mine", method="POST", data=typed, headers=HTML)
        who = {"Authorization": f"Author {token}"}
        return sent(self.client, "/v1/mine", method="PATCH", json={"id": comment_id, "body": body}, headers=who)

    def _post(self, path: str, **more: Any) -> TestResponse:
        self.visitors += 1
        here = {"REMOTE_ADDR": f"10.{self.visitors >> 8}.{self.visitors & 255}.1"}
        answer = sent(self.client, path, method="POST", environ_base=here, **more)
        assert answer.status_code in (201, 202, 303, 409, 422, 200), answer.text
        return answer

    @property
    def email(self) -> str:
        return f"v{self.visitors}@mail.example.org"

    def preview(self, body: str) -> str | None:
        """What a text would be published as; None when it is refused."""
        answer = self._post("/v1/sites/blog/preview", json={"body": body})
        return answer.json["html"] if answer.status_code == 200 and answer.json else None

    def admin(self) -> Moderator:
        """The admin, in the present session."""
        return db.session.get_one(Moderator, self.who.moderator_id)

    def ours(self) -> Site:
        """The site, in the present session."""
        return db.session.get_one(Site, self.site_id)

    def newest(self) -> str:
        """The comment that came last."""
        found = self.ask("GET", "/v1/moderation/comments?site=blog&sort=newest&limit=1")["comments"]
        return str(found[0]["id"])

    def every(self, path: str, name: str) -> Iterator[Any]:
        """All that a list tells, from its beginning to its end."""
        after: str | None = ""
        while after is not None:
            found = self.ask("GET", f"{path}&limit=100" + (f"&cursor={quote(after)}" if after else ""))
            yield from found[name]
            after = found["next"]

    def publish_all(self) -> None:
        """Approve whatever waits."""
        waiting = self.ask("GET", "/v1/moderation/comments?site=blog&status=pending&limit=100")["comments"]
        if waiting:
            items = [{"id": one["id"]} for one in waiting]
            self.ask("POST", "/v1/moderation/decisions", {"decision": "approve", "items": items})

    # Where it is shown.

    def told(self) -> dict[str, Any]:
        """The newest comments as moderators are told them, by id."""
        found = self.ask("GET", "/v1/moderation/comments?site=blog&sort=newest&limit=100")["comments"]
        return {one["id"]: one for one in found}

    def faults(self, said: Mapping[str, Said]) -> Iterator[str]:
        """What is wrong with the comments in every list that programs are told; the public ones when published."""
        told = self.told()
        yield from (f"{one} is not there" for one in said.keys() - told.keys())
        for id_, sent_ in said.items():
            yield from _faults_of(told.get(id_, {}), sent_)
        latest = self.ask("GET", "/v1/sites/blog/latest?limit=100")["comments"]
        public = {one["id"]: one for one in latest}
        for id_, one in public.items():
            yield from _differs(one, told.get(id_), "latest")
            if id_ in told and one["page"]["title"] != told[id_]["page"]["title"]:
                yield f"the latest comments have the title {one['page']['title']!r}"
        for id_, one in self._threads({one.page for one in said.values()}):
            yield from _differs(one, told.get(id_), "the thread")
        yield from self._feed(told)

    def _threads(self, pages: Iterable[str]) -> Iterator[tuple[str, Any]]:
        for page in sorted(pages):
            thread = self.ask("GET", f"/v1/sites/blog/thread?limit=100&page={quote(page, safe='')}")
            for root in thread["comments"]:
                yield root["id"], root
                yield from ((one["id"], one) for one in root["replies"])

    def _feed(self, told: Mapping[str, Any]) -> Iterator[str]:
        feed = ElementTree.fromstring(sent(self.client, "/v1/sites/blog/feed.atom").get_data())
        for entry in feed.iter(f"{_ATOM}entry"):
            one = told.get((entry.findtext(f"{_ATOM}id") or "").removeprefix("urn:uuid:"))
            name = entry.findtext(f"{_ATOM}author/{_ATOM}name")
            html = entry.findtext(f"{_ATOM}content")
            if one and (name, html) != (one["author"]["name"], one["html"]):
                yield f"the feed says {name!r}, {html!r}"
            if one and not (entry.findtext(f"{_ATOM}title") or "").startswith(f"{one['author']['name']}: "):
                yield f"the feed's title is {entry.findtext(f'{_ATOM}title')!r}"

    def page_faults(self, paths: Sequence[str], parsers: Mapping[str, Parser] = PARSERS) -> Iterator[str]:
        """What is wrong with whole pages: compared with the same pages of harmless words. What is stored is lost."""
        for path in paths:
            if path.endswith("/decision"):
                self.visit(path)  # once before: from now on its comment looks the same each time
        seen = {path: self.visit(path) for path in paths}
        words = harmless()
        for path, markup in seen.items():
            twin = Twin(self.visit(path))
            yield from (f"{path}: {what}" for what in twin.differences(markup, words, parsers))

    def echo_faults(
        self, key: Any, send: Callable[[Mapping[str, str]], TestResponse], typed: Mapping[str, str]
    ) -> Iterator[str]:
        """What is wrong with a page that shows again what was typed. `key`: pages that have the same twin."""
        names = {name: WORD.format(n) for n, name in enumerate(typed, TYPED)}
        if key not in self.echoes:
            self.echoes[key] = Twin(send(names).text)
        words = {names[name]: value for name, value in typed.items()}
        yield from (f"{key}: {what}" for what in self.echoes[key].differences(send(typed).text, words))


def _faults_of(one: Mapping[str, Any], said: Said) -> Iterator[str]:
    """How a comment, as moderators are told it, is not what was sent."""
    if not one:
        return
    yield from (f"{said.body[:60]!r}: {what}" for what in violations(one["html"]))
    if said.html is not None and one["html"] != said.html:
        yield f"{said.body[:60]!r} became {one['html'][:200]!r}, and not {said.html[:200]!r}"
    texts = {"name": (said.name, one["author"]["name"]), "text": (said.body, one["text"])}
    if said.title:
        texts["title"] = (said.title, one["page"]["title"])
    for name, (told, shown) in texts.items():
        if not same(told, shown) and essence(told):
            yield f"the {name} {told!r} came back as {shown!r}"
    for url in filter(None, (one["author"]["website"], one["page"]["url"])):
        if not url.startswith(("https://", "http://")) or set(url) & set('<>" \t\n`\\'):
            yield f"an address is {url!r}"


def _differs(one: Mapping[str, Any], told: Mapping[str, Any] | None, where: str) -> Iterator[str]:
    """The public is told the same name, website and HTML as moderators."""
    if told is None or "author" not in one:
        return
    for name in ("name", "website"):
        if one["author"][name] != told["author"][name]:
            yield f"{where} has the {name} {one['author'][name]!r}"
    if one["html"] != told["html"]:
        yield f"{where} has the html {one['html'][:200]!r}"
