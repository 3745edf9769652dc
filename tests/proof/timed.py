"""A site whose secrets somebody with a clock is after: what is there, who asks, and how alike the answers are."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from passlib.totp import TOTP
from sqlalchemy import event, insert, select
from werkzeug.test import TestResponse

from service.accounts import factors, invites
from service.accounts import operations as accounts
from service.accounts.security import CODE_PAGE
from service.comments.models import Comment
from service.comments.operations import Sender, Submission, submit
from service.db import db, new_id, transaction
from service.privacy.seal import email_index, seal
from service.sites.addresses import Address
from service.sites.models import Site
from tests.support import FULL

from .knocking import csrf_token
from .ledger import Proof
from .stopwatch import Action, Maker, blurred, differences, shape, times, times_until, told
from .world import sent

PASSWORD = "correct horse battery staple"
ACCOUNTS = ("absent", "there", "closed", "without")


@dataclass(frozen=True)
class Scene:
    """A site that publishes at once, with a scale, and the app with its limits counted and out of the way."""

    app: Flask
    client: FlaskClient
    site: Site
    foreign: Site

    def ask(self, path: str, method: str = "GET", **more: object) -> Callable[[], TestResponse]:
        return lambda: sent(self.client, path, method=method, **more)


def address(kind: str, n: int) -> str:
    return f"{kind}{n:06}@mail.example.org"


def comment_on(site: Site, **changes: object) -> Comment:
    """A comment in its first state."""
    where = Address("/timed", f"https://{site.key}.example.org/timed", "url")
    said = {"page": where, "name": "Ada", "email": "ada@mail.example.org", "body": f"One word, {secrets.token_hex(8)}."}
    with transaction():
        here = db.session.get_one(Site, site.id)
        return submit(here, Submission(**said | changes), Sender("203.0.113.8")).comment  # type: ignore[arg-type]


def make_known(site: Site, addresses: list[str]) -> None:
    """An approved comment by each address: one that was submitted, and copies of it."""
    table: Any = Comment.__table__
    first = comment_on(site)
    with transaction():
        row = dict(db.session.execute(select(table).where(table.c.id == first.id)).mappings().one())
        rows = [
            row | {"id": new_id(), "email_index": email_index(site.id, one), "email_sealed": seal(one)}
            for one in addresses
        ]
        db.session.execute(insert(table), rows)


def looks(action: Action) -> tuple[object, ...]:
    """The shape of an answer, and what the database was asked for it."""
    asked: list[str] = []
    engine = db.engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        answer = action()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return *(shape(answer) if isinstance(answer, TestResponse) else ()), *asked


def alike(proof: Proof, kinds: dict[str, Maker]) -> None:
    """The first kind looks like each of the others."""
    for make in kinds.values():
        make(-3)()  # the first one ever opens a page, or notes that a token is in use
    (first, seen), *others = ((name, {looks(make(-turn)) for turn in range(3)}) for name, make in kinds.items())
    for name, found in others:
        proof.case(*([f"{first} or {name}: {seen ^ found}"] if found != seen else []))


@dataclass(frozen=True)
class Tries:
    """How often each of two kinds is timed: until `bound` microseconds would show, and from `least` to `most` times."""

    least: int
    most: int
    bound: float


def compare(proof: Proof, kinds: dict[str, Maker], tries: Tries) -> None:
    """Two kinds look alike and, at full size, take the same time."""
    alike(proof, kinds)
    name, makers = " or ".join(kinds), list(kinds.values())
    if not FULL:
        one, other = times(makers, tries.least)
        proof.cases(2 * tries.least, [])
        return
    one, other = times_until(makers, tries.least, tries.most, tries.bound)
    proof.cases(2 * len(one.wall), [*differences(name, one, other), *blurred(name, one, other, tries.bound)])
    proof.note(told(name, one, other))


def bearer(scene: Scene, kind: str, secret: str) -> Maker:
    """A token that begins like `secret`, or like nobody's, and goes on at random; or `secret` itself, of no use now."""

    def make(_turn: int) -> Callable[[], TestResponse]:
        begin = secret[: len("grm_") + 16] if kind == "near" else "grm_"
        token = secret if kind == "used" else (begin + secrets.token_urlsafe(48))[: len(secret)]
        return scene.ask("/v1/sites", headers={"Authorization": f"Bearer {token}"})

    return make


def login(kind: str) -> str:
    return f"{kind:_<8}@mail.example.org"


def attempts(scene: Scene, password: str = "not the right one") -> dict[str, Maker]:
    """Wrong passwords for each kind of account."""
    csrf = csrf_token(scene.client)
    home = {"Origin": scene.app.config["PUBLIC_URL"]}

    def attempt(kind: str) -> Maker:
        form = {"csrf_token": csrf, "email": login(kind), "password": password}
        return lambda _turn: scene.ask("/desk/sign-in", "POST", data=form, headers=home)

    return {kind: attempt(kind) for kind in ACCOUNTS}


SECRETS = ("random", "used", "near")
"""One that never was, one that is good no more, and one that begins like a good one."""


def codes(scene: Scene) -> dict[str, Maker]:
    """Recovery codes at the second step, by somebody whose password was right."""
    with transaction():
        person = accounts.add_moderator("codes@mail.example.org", "Ada", PASSWORD, actor="test")
        secret = factors.start(person)
    with transaction():
        used, good, *_ = factors.confirm(person, str(TOTP(secret).generate().token), factors.mark_of(secret))
    with transaction():
        assert factors.passes(person.id, used)
    csrf, home = csrf_token(scene.client), {"Origin": scene.app.config["PUBLIC_URL"]}
    form = {"csrf_token": csrf, "email": person.email, "password": PASSWORD}
    halfway = scene.ask("/desk/sign-in", "POST", data=form, headers=home)()
    assert halfway.headers["Location"] == CODE_PAGE

    def attempt(kind: str) -> Maker:
        def make(_turn: int) -> Callable[[], TestResponse]:
            other = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") if one != "-" else one for one in used)
            typed = {"random": other, "used": used, "near": good[:14] + other[14:]}[kind]
            return scene.ask(CODE_PAGE, "POST", data={"csrf_token": csrf, "code": typed}, headers=home)

        return make

    return {kind: attempt(kind) for kind in SECRETS}


def links(scene: Scene) -> dict[str, Maker]:
    """Links of invitations."""
    with transaction():
        owner = accounts.add_moderator("owner@mail.example.org", "Ada", None, actor="test")
        accounts.grant(owner, scene.site.id, "owner", actor="test")
        gone, there = (invites.invite(scene.site.id, "viewer", "", actor=f"moderator:{owner.id}") for _ in range(2))
        invites.take_back(gone.invite, actor="test")
    home = {"Origin": scene.app.config["PUBLIC_URL"]}

    def attempt(kind: str) -> Maker:
        def make(_turn: int) -> Callable[[], TestResponse]:
            other = f"gri_{secrets.token_urlsafe(32)}"
            link = {"random": other, "used": gone.secret, "near": there.secret[:20] + other[20:]}[kind]
            return scene.ask("/desk/sign-up", "POST", data={"invite": link}, headers=home)

        return make

    return {kind: attempt(kind) for kind in SECRETS}
