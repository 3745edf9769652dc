"""Passkeys: what a browser is asked, which answers are taken, and what is written down. The device is in software."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.accounts import operations, passkeys, queries
from service.accounts.models import Moderator, Passkey, UsedChallenge
from service.accounts.passkeys import Answer, Copied, Made, NoPasskey, NotMade, Party
from service.audit.models import INSTALL
from service.db import db, new_id, transaction
from service.errors import Conflict, Invalid, NotFound, Problem
from tests.accounts.still import BOB, NOON, deeds, moderator, refused
from tests.accounts.still import clock as clock
from tests.desk.device import Device

HERE = Party("comments.example.org", "https://comments.example.org")
NOBODYS = "No account is opened by this passkey."
NOT_TAKEN = "What your device answered cannot be taken, so no passkey was added. Please try again."
CHALLENGE = b"a challenge of thirty-two bytes."
ASKED = {"challenge": urlsafe_b64encode(CHALLENGE).decode().rstrip("=")}


@pytest.fixture
def device() -> Device:
    return Device(HERE.host, HERE.origin)


def kept(who: Moderator, device: Device, name: str = "Phone") -> Passkey:
    """A passkey that a device has made for somebody."""
    options, challenge = passkeys.to_make(who, HERE)
    with transaction():
        return passkeys.keep(who, name, passkeys.made(device.made(options), challenge, HERE))


def answer(device: Device) -> Answer:
    options, challenge = passkeys.to_sign_in(HERE)
    return passkeys.answered(device.answer(options), challenge, HERE)


def enter(told: Answer) -> Moderator:
    with transaction():
        return passkeys.enter(told)


def row(one: Passkey) -> Passkey:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Passkey, one.id)


def said(problem: Problem) -> tuple[type[Problem], str]:
    return type(problem), problem.detail


def base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def test_a_browser_is_asked_for_a_passkey_that_knows_whose_it_is(device: Device) -> None:
    who, bob = moderator(), moderator(BOB)
    known = kept(who, device)
    kept(bob, Device(HERE.host, HERE.origin))
    options, challenge = passkeys.to_make(who, HERE)
    assert len(challenge) == 32 and passkeys.to_make(who, HERE)[1] != challenge
    assert options["rp"] == {"name": "Greenroom", "id": HERE.host}
    assert options["user"] == {"id": base64(who.id.bytes), "name": who.email, "displayName": "Ada"}
    assert options["challenge"] == base64(challenge)
    assert options["excludeCredentials"] == [{"type": "public-key", "id": base64(known.credential_id)}]
    wanted = {"residentKey": "required", "requireResidentKey": True, "userVerification": "required"}
    assert options["authenticatorSelection"] == wanted


def test_a_browser_is_asked_to_sign_in_with_whichever_passkey_it_has(device: Device) -> None:
    kept(moderator(), device)
    options, challenge = passkeys.to_sign_in(HERE)
    assert len(challenge) == 32 and passkeys.to_sign_in(HERE)[1] != challenge
    assert (options["rpId"], options["challenge"]) == (HERE.host, base64(challenge))
    assert (options["userVerification"], options["allowCredentials"]) == ("required", [])


def test_a_new_passkey_is_kept_as_its_device_described_it(device: Device) -> None:
    who, made = moderator(), list[Passkey]()
    device.count = 7
    told = passkeys.made(device.made(ASKED), CHALLENGE, HERE)
    assert (told.challenge, told.credential_id, told.sign_count) == (CHALLENGE, device.id, 7)
    assert deeds(lambda: made.append(passkeys.keep(who, " My  phone ", told))) == [
        ("factor.passkey-added", f"moderator:{who.id}", INSTALL, who.id, {"name": "My phone"})
    ]
    one = row(made[0])
    assert (one.moderator_id, one.name, one.credential_id, one.sign_count) == (who.id, "My phone", device.id, 7)
    assert (one.public_key, one.created_at, one.last_used_at) == (told.public_key, NOON, None)
    assert [each.id for each in queries.passkeys_of(who.id)] == [one.id]


def foreign(device: Device, wrong: str) -> Device:
    """The same device, at a page of others, or held by nobody it knows."""
    if wrong == "host":
        device.host = "evil.example.org"
    elif wrong == "origin":
        device.origin = "https://evil.example.org"
    elif wrong == "unverified":
        usual = device._data
        device._data = lambda flags: usual(flags & ~0x04)  # type: ignore[method-assign]
    return device


@pytest.mark.parametrize("wrong", ["host", "origin", "unverified", "challenge"])
def test_a_passkey_is_made_for_this_page_by_somebody_known_to_the_device(device: Device, wrong: str) -> None:
    asked = b"another challenge" if wrong == "challenge" else CHALLENGE
    problem = refused(lambda: passkeys.made(foreign(device, wrong).made(ASKED), asked, HERE))
    assert said(problem) == (NotMade, NOT_TAKEN)


@pytest.mark.parametrize("wrong", ["host", "origin", "unverified", "challenge", "signature"])
def test_an_answer_is_to_this_page_and_this_challenge(device: Device, wrong: str) -> None:
    who = moderator()
    kept(who, device)
    asked = b"another challenge" if wrong == "challenge" else CHALLENGE
    given = json.loads(foreign(device, wrong).answer(ASKED))
    if wrong == "signature":
        given["response"]["signature"] = json.loads(device.answer({"challenge": "b3RoZXI"}))["response"]["signature"]
    problem = refused(lambda: passkeys.answered(json.dumps(given), asked, HERE))
    assert isinstance(problem, NoPasskey) and not isinstance(problem, Copied)
    assert (problem.detail, problem.whose) == (NOBODYS, who.id)


@pytest.mark.parametrize("text", ["", "x", "[]", "null", "1", '"x"', "{}", '{"id": 1}', "[" * 300])
def test_what_is_no_answer_is_told_in_the_same_words(device: Device, text: str) -> None:
    kept(moderator(), device)
    problem = refused(lambda: passkeys.answered(text, CHALLENGE, HERE))
    assert isinstance(problem, NoPasskey) and (problem.detail, problem.whose, problem.status) == (NOBODYS, None, 422)
    assert said(refused(lambda: passkeys.made(text, CHALLENGE, HERE))) == (NotMade, NOT_TAKEN)


def test_a_passkey_that_nobody_has_is_told_in_the_same_words(device: Device) -> None:
    kept(moderator(), device)
    stranger = Device(HERE.host, HERE.origin)
    problem = refused(lambda: answer(stranger))
    assert isinstance(problem, NoPasskey) and (problem.detail, problem.whose) == (NOBODYS, None)


def test_a_good_answer_lets_in_whom_it_is_of(device: Device) -> None:
    who, bob, other = moderator(), moderator(BOB), Device(HERE.host, HERE.origin)
    one, theirs = kept(who, device), kept(bob, other)
    told = answer(device)
    assert (told.passkey_id, told.whose, told.count) == (one.id, who.id, 1)
    assert enter(told).id == who.id
    assert (row(one).sign_count, row(one).last_used_at, row(theirs).last_used_at) == (1, NOON, None)
    assert enter(answer(other)).id == bob.id


@pytest.mark.parametrize("gone", ["passkey", "account", "answered"])
def test_an_answer_is_good_as_long_as_what_it_is_of(device: Device, gone: str) -> None:
    who = moderator()
    one = kept(who, device)
    told = answer(device)
    if gone == "answered":
        enter(told)
        told = replace(told, count=told.count + 1)  # of a device that counts on, the challenge alone tells
    with transaction():
        if gone == "passkey":
            passkeys.remove(who.id, one.id)
        elif gone == "account":
            operations.set_active(who, False, actor="test")
    problem = refused(lambda: passkeys.enter(told))
    assert isinstance(problem, NoPasskey) and not isinstance(problem, Copied)
    assert (problem.detail, problem.whose) == (NOBODYS, who.id)


@pytest.mark.parametrize(
    ("before", "count", "is_good"),
    [(0, 0, True), (0, 1, True), (1, 2, True), (1, 9, True), (1, 1, False), (2, 1, False), (1, 0, False)],
)
def test_a_device_whose_count_does_not_rise_may_be_a_copy(
    device: Device, before: int, count: int, is_good: bool
) -> None:
    who = moderator()
    one = kept(who, device)
    with transaction():
        row(one).sign_count = before
    told = replace(answer(device), count=count)
    if is_good:
        assert (enter(told).id, row(one).sign_count) == (who.id, count)
        return
    problem = refused(lambda: passkeys.enter(told))
    assert isinstance(problem, Copied) and (problem.detail, problem.whose) == (NOBODYS, who.id)
    assert (row(one).sign_count, row(one).last_used_at) == (before, None)


def test_refusals_are_written_down() -> None:
    who = moderator()
    refusal = ("session.refused", "system", INSTALL, who.id, {"step": "passkey"})
    assert deeds(lambda: passkeys.note_refused(NoPasskey(whose=who.id))) == [refusal]
    told = deeds(lambda: passkeys.note_refused(Copied(whose=who.id)))
    assert told == [refusal, ("factor.passkey-copied", "system", INSTALL, who.id, {})]
    assert deeds(lambda: passkeys.note_refused(NoPasskey("Too late.")))[0][3] is None
    assert NoPasskey("Too late.").detail == "Too late."


def described(n: int, challenge: bytes = CHALLENGE) -> Made:
    return Made(challenge + bytes([n]), b"credential %d" % n, b"key", 0)


def test_an_account_has_twenty_passkeys_at_most() -> None:
    who, bob = moderator(), moderator(BOB)
    with transaction():
        for n in range(20):
            passkeys.keep(who, f"Key {n}", described(n))
    problem = refused(lambda: passkeys.keep(who, "One more", described(20)))
    assert said(problem) == (Conflict, "An account has at most 20 passkeys. Remove one first.")
    with transaction():
        passkeys.keep(bob, "Key", described(21))


def test_a_passkey_is_added_once_and_with_a_name() -> None:
    who, bob = moderator(), moderator(BOB)
    with transaction():
        passkeys.keep(who, "Phone", described(1))

    def again(made: Made) -> Problem:
        return refused(lambda: passkeys.keep(bob, "Phone", made))

    assert said(again(replace(described(1), challenge=b"new"))) == (Conflict, "This passkey is known already.")
    assert said(again(replace(described(2), challenge=described(1).challenge))) == (NotMade, NOT_TAKEN)
    problem = refused(lambda: passkeys.keep(bob, " ", described(3)))
    assert isinstance(problem, Invalid) and list(problem.errors or {}) == ["name"]
    assert queries.passkeys_of(bob.id) == []


def test_one_of_ones_own_passkeys_is_removed() -> None:
    who, bob = moderator(), moderator(BOB)
    with transaction():
        one, two = (passkeys.keep(who, f"Key {n}", described(n)) for n in range(2))
        theirs = passkeys.keep(bob, "Key", described(2))
    removed = ("factor.passkey-removed", f"moderator:{who.id}", INSTALL, who.id, {})
    assert deeds(lambda: passkeys.remove(who.id, one.id)) == [removed]
    assert [each.id for each in queries.passkeys_of(who.id)] == [two.id]
    for id_ in (one.id, theirs.id, new_id()):
        problem = refused(lambda id_=id_: passkeys.remove(who.id, id_))  # type: ignore[misc]
        assert said(problem) == (NotFound, "There is no passkey of yours by that id.")
    assert [each.id for each in queries.passkeys_of(bob.id)] == [theirs.id]


def test_all_passkeys_of_one_account_are_removed() -> None:
    who, bob, many = moderator(), moderator(BOB), list[int]()
    with transaction():
        for n in range(3):
            passkeys.keep(bob if n == 2 else who, f"Key {n}", described(n))
    told = deeds(lambda: many.append(passkeys.remove_all(who, actor="command")))
    assert told == [("factor.passkey-removed", "command", INSTALL, who.id, {"all": 2})]
    assert (queries.passkeys_of(who.id), len(queries.passkeys_of(bob.id))) == ([], 1)
    assert deeds(lambda: many.append(passkeys.remove_all(who, actor="command"))) == []
    assert many == [2, 0]


def test_passkeys_are_listed_the_oldest_first() -> None:
    who = moderator()
    with transaction():
        made = [passkeys.keep(who, f"Key {n}", described(n)).id for n in range(3)]
    assert [one.id for one in queries.passkeys_of(who.id)] == sorted(made)


def test_challenges_are_forgotten_after_five_minutes(clock: Any) -> None:
    who = moderator()
    with transaction():
        passkeys.keep(who, "One", described(1))
    clock.shift(timedelta(seconds=1))
    with transaction():
        passkeys.keep(who, "Two", described(2))
    for after, forgotten in ((timedelta(seconds=-1), 0), (timedelta(0), 1)):
        clock.move_to(NOON + timedelta(minutes=5) + after)
        with transaction():
            assert passkeys.purge() == forgotten
    assert db.session.query(UsedChallenge).count() == 1


def test_what_a_device_told_cannot_be_changed() -> None:
    for told, name in ((HERE, "host"), (described(1), "challenge"), (Answer(b"", new_id(), new_id(), 0), "count")):
        with pytest.raises(AttributeError):
            setattr(told, name, "y")
