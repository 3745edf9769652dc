"""Timing: what is known answers as fast, and in the same shape, as what is not.

At full size 10,000 actions of each kind are timed, 1,000 of whole requests, 500 of a sign-in at its real price, more
where the machine is busy: until a difference of so many microseconds would show as stands with them below. Where it
never would, that is a failure: nothing was proved. A submission is timed up to its judgement, which is the last thing
that an address could change: whatever follows depends on facts that are compared here too, and on an address of the
same length. The whole of it is timed less often. Leaks as long as they are to show, planted into the same code, must be
found with the same number of actions. Nothing is timed in the quick size.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from passlib.context import CryptContext
from sqlalchemy import select
from werkzeug.test import TestResponse

from service.accounts import guard, passwords
from service.accounts import operations as accounts
from service.accounts.models import ApiToken
from service.app import create_app
from service.comments import operations, queries
from service.comments.models import Author
from service.comments.operations import Sender, Submission, submit, token_digest
from service.config import Settings
from service.db import db, new_id, transaction
from service.sites.addresses import Address
from service.sites.models import Site
from service.spam.rules import Facts
from tests.conftest import add_site
from tests.support import FULL

from .knocking import LIMITED, ORIGIN
from .ledger import Proof
from .stopwatch import Maker, Took, blurred, differences, spin, times_until
from .timed import (
    ACCOUNTS,
    PASSWORD,
    SECRETS,
    Scene,
    Tries,
    address,
    alike,
    attempts,
    bearer,
    codes,
    comment_on,
    compare,
    links,
    login,
    looks,
    make_known,
)

pytestmark = pytest.mark.one_database

LEAK = 50.0
MANY = Tries(10_000 if FULL else 10, most=40_000, bound=LEAK)
SOME = Tries(1_000 if FULL else 4, most=20_000, bound=200.0)
"""Of whole requests, in which an address or an id is a small part."""
WHOLE = Tries(1_000 if FULL else 4, most=3_000, bound=400.0)
SLOW = Tries(500 if FULL else 5, most=3_000, bound=5_000.0)
"""Of sign-ins: a fraction of the one slow hash that there must be."""
POOL = 200
PAGE = "/timed"


@pytest.fixture(scope="module")
def counted(migrated: Flask) -> Iterator[Flask]:
    """The app on the same database, with limits that nobody reaches."""
    settings: Settings = migrated.extensions["greenroom_settings"]
    plenty: dict[str, Any] = dict.fromkeys(LIMITED, "1000000/year")
    made = create_app(replace(settings, limits_enabled=True, **plenty))
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def scene(app: Flask, counted: Flask) -> Iterator[Scene]:
    sites = [add_site(name, [f"https://{name}.example.org"], mode="post", rating_max=5.0) for name in ("blog", "zine")]
    with counted.app_context():
        yield Scene(counted, counted.test_client(), *sites)
        db.session.remove()


class Judged(Exception):
    """Raised in place of a verdict: everything that an address can change has happened."""


@pytest.fixture
def facts(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Some addresses are known; from now on, submissions are taken as far as their facts, and taken back."""
    make_known(scene.site, [address("known", n) for n in range(POOL)])
    found: set[str] = set()

    def judge(told: Facts) -> None:
        found.add(repr(told))
        raise Judged

    monkeypatch.setattr(operations, "judge", judge)
    return found


def judged(scene: Scene, kind: str) -> Maker:
    where = Address(PAGE, f"{ORIGIN}{PAGE}", "url")

    def make(turn: int) -> Callable[[], None]:
        said = Submission(where, "Ada", address(kind, turn % POOL), "Another word.", rating=4.0)
        db.session.remove()

        def act() -> None:
            with pytest.raises(Judged), transaction():
                submit(db.session.get_one(Site, scene.site.id), said, Sender("203.0.113.9"))

        return act

    return make


@pytest.mark.alone
@pytest.mark.figure("13", quick=20, full=20_000)
def test_an_address_with_an_approved_comment_is_judged_as_fast_as_a_new_one(
    scene: Scene, facts: set[str], proof: Proof
) -> None:
    compare(proof, {"known": judged(scene, "known"), "fresh": judged(scene, "fresh")}, MANY)
    assert len(facts) == 1, "the verdict would differ"


@pytest.mark.alone
@pytest.mark.figure("13", quick=8, full=2_000)
def test_the_whole_submission_of_a_known_address_takes_as_long_and_looks_the_same(scene: Scene, proof: Proof) -> None:
    kinds = ("known", "fresh")
    make_known(scene.site, [address("known", n) for n in range(-5, 2 * WHOLE.most if FULL else 8)])

    def submission(kind: str) -> Maker:
        def make(turn: int) -> Callable[[], TestResponse]:
            said = {"page": PAGE, "name": "Ada", "email": address(kind, turn), "body": f"The word {kind} {turn:06}."}
            peer = {"REMOTE_ADDR": f"10.{kinds.index(kind)}.{turn // 250 % 250}.{turn % 250}"}
            return scene.ask("/v1/sites/blog/comments", "POST", json=said, environ_base=peer)

        return make

    compare(proof, {kind: submission(kind) for kind in kinds}, WHOLE)


@pytest.fixture
def secret(scene: Scene) -> str:
    """An API token of a moderator of one of the two sites."""
    with transaction():
        ada = accounts.add_moderator("moder@mail.example.org", "Ada", PASSWORD, actor="test")
        accounts.grant(ada, scene.site.id, "moderator", actor="test")
        wanted = accounts.NewToken("timed", ("read", "moderate"))
        return accounts.issue_token(ada, wanted, actor="test").secret


@pytest.mark.alone
@pytest.mark.figure("13", quick=20, full=20_000)
def test_a_token_that_begins_right_is_refused_as_fast_as_any(scene: Scene, secret: str, proof: Proof) -> None:
    compare(proof, {kind: bearer(scene, kind, secret) for kind in ("near", "random")}, MANY)


@pytest.mark.alone
@pytest.mark.figure("13", quick=20, full=20_000)
def test_a_token_that_was_revoked_is_refused_as_fast_as_any(scene: Scene, secret: str, proof: Proof) -> None:
    with transaction():
        accounts.revoke_token(db.session.scalars(select(ApiToken)).one(), actor="test")
    compare(proof, {kind: bearer(scene, kind, secret) for kind in ("used", "random")}, MANY)


def author_token(scene: Scene) -> str:
    """The token of somebody who has left a comment."""
    token = operations.TOKEN_PREFIX + secrets.token_urlsafe(32)
    author = comment_on(scene.site).author_id
    with transaction():
        db.session.get_one(Author, author).token_digest = token_digest(token)
    return token


@pytest.mark.alone
@pytest.mark.figure("13", quick=20, full=20_000)
def test_an_authors_token_that_begins_right_is_looked_up_as_fast_as_any(scene: Scene, proof: Proof) -> None:
    """The look-up alone, since a submission goes on after it, whether the token is somebody's or not."""
    right = author_token(scene)

    def look_up(kind: str) -> Maker:
        def make(_turn: int) -> Callable[[], None]:
            begin = right[: len(operations.TOKEN_PREFIX) + 16] if kind == "near" else operations.TOKEN_PREFIX
            token = (begin + secrets.token_urlsafe(48))[: len(right)]

            def act() -> None:
                assert queries.author_of_token(scene.site.id, token_digest(token)) is None

            return act

        return make

    compare(proof, {kind: look_up(kind) for kind in ("near", "random")}, MANY)


LOOKUPS: dict[str, tuple[str, str]] = {
    "anybody, what waits": ("GET", "/v1/sites/blog/comments/{waiting}"),
    "anybody, the form that answers what waits": ("GET", "/embed/blog/form?page=/timed&reply={waiting}"),
    "anybody, an answer to what waits": ("POST", "/v1/sites/blog/comments"),
    "anybody, a vote for what waits": ("POST", "/v1/sites/blog/comments/{waiting}/vote"),
    "anybody, a report of what waits": ("POST", "/v1/sites/blog/comments/{waiting}/report"),
    "an author, a change of somebody else's": ("PATCH", "/v1/mine"),
    "a moderator, what is another site's": ("GET", "/v1/moderation/comments/{foreign}"),
    "a moderator, its address": ("POST", "/v1/moderation/comments/{foreign}/reveal"),
    "a moderator, its page at the desk": ("GET", "/desk/comments/{foreign}"),
    "a moderator, an alias for another site's page": ("POST", "/v1/pages/{page}/aliases"),
}
"""Doors at which an id is there, and yet not for whoever asks."""


@pytest.mark.alone
@pytest.mark.figure("13", quick=8, full=2_000)
@pytest.mark.parametrize("door", LOOKUPS)
def test_what_is_not_for_you_is_as_absent_as_what_is_not_there(
    scene: Scene, secret: str, proof: Proof, door: str
) -> None:
    method, path = LOOKUPS[door]
    with transaction():
        db.session.get_one(Site, scene.site.id).mode = "pre"
    foreign = comment_on(scene.foreign)
    ids = {"waiting": comment_on(scene.site).id, "foreign": foreign.id, "page": foreign.page_id}
    who = {"Authorization": f"Bearer {secret}"} if "moderator" in door else {}
    if "author" in door:
        who = {"Authorization": f"Author {author_token(scene)}"}

    # As often asked for as what is there: the standard library remembers how it took a URL apart.
    absent = {name: new_id() for name in ids}

    def look_up(kind: str) -> Maker:
        def make(turn: int) -> Callable[[], TestResponse]:
            named = absent if kind == "absent" else ids
            said = None
            if path.endswith("/comments"):
                said = {"page": PAGE, "name": "Ada", "email": "ada@mail.example.org", "body": "A word."}
                said["parent_id"] = str(named["waiting"])
            elif path.endswith("/aliases"):
                said = {"page": PAGE}
            elif path.endswith(("/vote", "/report")):
                said = {"device": "d" * 32} | ({"reason": "spam"} if path.endswith("/report") else {})
            elif path.endswith("/mine"):
                said = {"id": str(named["waiting"]), "body": "A word."}
            return scene.ask(path.format(**named), method, json=said, headers=who)

        return make

    compare(proof, {kind: look_up(kind) for kind in ("there", "absent")}, SOME)


@pytest.fixture
def accounts_there(scene: Scene) -> None:
    """An account, a closed one, and one without a password."""
    with transaction():
        for kind in ACCOUNTS[1:]:
            password = None if kind == "without" else PASSWORD
            made = accounts.add_moderator(login(kind), "Ada", password, actor="test")
            if kind == "closed":
                accounts.set_active(made, False, actor="test")


@pytest.mark.figure("13", quick=3, full=3)
@pytest.mark.usefixtures("accounts_there")
def test_a_sign_in_looks_the_same_for_any_account(scene: Scene, proof: Proof) -> None:
    """Which costs as many slow hashes too: see test_sign_in."""
    alike(proof, attempts(scene))


@pytest.fixture
def real_hashes() -> Iterator[None]:
    """Hashes at the price at which the service makes them, where they are timed."""
    ours = passwords.CONTEXT.to_dict()
    if FULL:
        passwords.CONTEXT.load(CryptContext(schemes=["argon2"]).to_dict())
    yield
    passwords.CONTEXT.load(ours)


@pytest.mark.alone
@pytest.mark.figure("13", quick=4, full=1_000)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("real_hashes", "accounts_there")
def test_a_sign_in_for_an_account_takes_as_long_as_for_none(scene: Scene, proof: Proof) -> None:
    kinds = attempts(scene)
    compare(proof, {kind: kinds[kind] for kind in ACCOUNTS[:2]}, SLOW)


@pytest.mark.alone
@pytest.mark.figure("13", quick=8, full=2_000)
@pytest.mark.parametrize("kind", SECRETS[1:])
def test_a_recovery_code_that_was_good_once_is_refused_as_fast_as_any(scene: Scene, proof: Proof, kind: str) -> None:
    kinds = codes(scene)
    compare(proof, {one: kinds[one] for one in ("random", kind)}, SOME)


@pytest.mark.alone
@pytest.mark.figure("13", quick=8, full=2_000)
@pytest.mark.parametrize("kind", SECRETS[1:])
def test_an_invitation_that_was_taken_back_is_refused_as_fast_as_any(scene: Scene, proof: Proof, kind: str) -> None:
    kinds = links(scene)
    compare(proof, {one: kinds[one] for one in ("random", kind)}, SOME)


@pytest.mark.control("13")
def test_a_question_more_is_seen(scene: Scene, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another site's comment is loaded before it is refused, it looks different even without a clock."""
    whole = queries.get
    monkeypatch.setattr(queries, "get", lambda comment_id, _sites: whole(comment_id))
    foreign = comment_on(scene.foreign).id
    who = {"Authorization": f"Bearer {secret}"}
    scene.ask("/v1/sites", headers=who)()
    there, absent = (looks(scene.ask(f"/v1/moderation/comments/{one}", headers=who)) for one in (foreign, new_id()))
    assert there != absent


@pytest.mark.control("13")
def test_a_leak_of_50_microseconds_is_told_apart() -> None:
    """By the same statistic, in made-up times with the spread of real ones; and nothing where there is nothing."""
    chance = random.Random(13)
    a, b = ([int((chance.lognormvariate(0, 0.5) * 300 + 1_500) * 1_000) for _ in range(10_000)] for _ in range(2))
    assert differences("none", Took(a, a), Took(b, b)) == []
    slower = [one + int(LEAK * 1_000) for one in a]
    assert len(differences("by one clock", Took(a, slower), Took(b, b))) == 1
    assert len(differences("by both", Took(slower, slower), Took(b, b))) == 2


@pytest.mark.control("13")
def test_a_machine_that_is_too_busy_to_tell_is_seen() -> None:
    """The same times, with a tenth of the tries: nothing is told apart, and nothing proved."""
    chance = random.Random(13)
    a, b = ([int((chance.lognormvariate(0, 0.5) * 300 + 1_500) * 1_000) for _ in range(10_000)] for _ in range(2))
    assert blurred("many", Took(a, a), Took(b, b), LEAK) == []
    assert blurred("few", Took(a[:500], a[:500]), Took(b[:500], b[:500]), LEAK)
    assert blurred("one good clock", Took(a[:500], a), Took(b[:500], b), LEAK) == []


def test_times_are_taken_until_a_difference_would_show() -> None:
    makers: list[Maker] = [lambda _turn: lambda: None] * 2
    assert [len(one.work) for one in times_until(makers, 20, most=100, bound=10_000.0)] == [20, 20]
    assert [len(one.wall) for one in times_until(makers, 20, most=100, bound=0.0)] == [100, 100]


@pytest.mark.alone
@pytest.mark.control("13")
def test_a_leak_that_is_planted_is_found(scene: Scene, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest of a token that begins right takes 50 microseconds more."""

    def leaking(token: str) -> bytes:
        if token.startswith(secret[:20]):
            spin(LEAK)
        return accounts.digest_of(token)

    monkeypatch.setattr(guard, "digest_of", leaking)
    _seen([bearer(scene, kind, secret) for kind in ("near", "random")], MANY)


@pytest.mark.alone
@pytest.mark.control("13")
def test_a_leak_that_is_planted_into_a_look_up_is_found(
    scene: Scene, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another site's comment takes as much longer as is to show where whole requests are timed."""
    foreign, get = comment_on(scene.foreign).id, queries.get

    def leaking(comment_id: UUID, sites: Any) -> Any:
        if comment_id == foreign:
            spin(SOME.bound)
        return get(comment_id, sites)

    monkeypatch.setattr(queries, "get", leaking)
    who = {"Authorization": f"Bearer {secret}"}

    def look_up(kind: str) -> Maker:
        def make(_turn: int) -> Callable[[], TestResponse]:
            return scene.ask(f"/v1/moderation/comments/{foreign if kind == 'there' else new_id()}", headers=who)

        return make

    _seen([look_up(kind) for kind in ("there", "absent")], SOME)


def _seen(kinds: list[Maker], tries: Tries) -> None:
    one, other = times_until(kinds, tries.least, tries.most if FULL else tries.least, tries.bound)
    if FULL:  # with fewer, chance could hide it
        assert differences("one or other", one, other)
