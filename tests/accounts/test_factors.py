"""Codes from an app and recovery codes: what each step takes, refuses in which words, and leaves behind."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from passlib.totp import TOTP

from service.accounts import factors, queries
from service.accounts.models import Moderator, RecoveryCode, TotpSecret
from service.audit.models import INSTALL
from service.db import db, now, transaction
from service.errors import Conflict, Invalid, Problem
from service.privacy.unseal import unseal
from tests.accounts.still import BOB, NOON, deeds, moderator, refused
from tests.accounts.still import clock as clock

BEGIN_AGAIN = (Conflict, "Nothing is being set up. Begin again.")


def code(secret: str, later: int = 0) -> str:
    return str(TOTP(secret).generate(int(now().timestamp()) + later).token)


def begun(who: Moderator) -> tuple[str, str]:
    """A secret, and the mark of the session that was shown it."""
    with transaction():
        secret = factors.start(who)
    return secret, factors.mark_of(secret)


def set_up(who: Moderator) -> tuple[str, list[str]]:
    """Codes are asked for: the secret, and the recovery codes. The code of the half minute before is spent."""
    secret, mark = begun(who)
    with transaction():
        return secret, factors.confirm(who, code(secret, -30), mark)


def row(who: Moderator) -> TotpSecret:
    db.session.expire_all()
    return db.session.get_one(TotpSecret, who.id)


def passes(who: Moderator, typed: str) -> bool:
    with transaction():
        return factors.passes(who.id, typed)


def said(problem: Problem) -> tuple[type[Problem], str]:
    return type(problem), problem.detail


def test_what_is_being_set_up_is_kept_sealed_and_counts_not_yet() -> None:
    who, bob, made = moderator(), moderator(BOB), []
    assert deeds(lambda: made.append(factors.start(who))) == []
    (secret,) = made
    kept = row(who)
    assert re.fullmatch("[A-Z2-7]{32}", secret) and secret.encode() not in kept.sealed
    assert (unseal(kept.sealed), kept.created_at, kept.confirmed_at) == (secret, NOON, None)
    assert factors.is_on(who.id) is False and factors.is_on(bob.id) is False
    assert passes(who, code(secret)) is False
    assert begun(who)[0] != secret and begun(bob)[0] != secret


def test_the_secret_is_shown_again_to_the_session_that_began() -> None:
    who, bob = moderator(), moderator(BOB)
    secret, mark = begun(who)
    assert re.fullmatch("[0-9a-f]{64}", mark)
    assert factors.waiting(who.id, mark) == secret
    assert factors.waiting(who.id, "") is None and factors.waiting(bob.id, mark) is None
    for typed, other in ((code(secret), ""), (code(secret), factors.mark_of("x"))):
        assert said(refused(lambda typed=typed, other=other: factors.confirm(who, typed, other))) == BEGIN_AGAIN  # type: ignore[misc]
    assert said(refused(lambda: factors.confirm(bob, code(secret), mark))) == BEGIN_AGAIN


def test_a_set_up_has_ten_minutes(clock: Any) -> None:
    who = moderator()
    secret, mark = begun(who)
    clock.move_to(NOON + timedelta(minutes=10) - timedelta(seconds=1))
    assert factors.waiting(who.id, mark) == secret
    clock.move_to(NOON + timedelta(minutes=10))
    assert factors.waiting(who.id, mark) is None
    assert said(refused(lambda: factors.confirm(who, code(secret), mark))) == BEGIN_AGAIN


def test_a_good_code_switches_codes_on() -> None:
    who, recovery = moderator(), list[str]()
    secret, mark = begun(who)
    told = deeds(lambda: recovery.extend(factors.confirm(who, code(secret), mark)))
    assert told == [("factor.codes-on", f"moderator:{who.id}", INSTALL, who.id, {})]
    assert len(set(recovery)) == 10
    assert all(re.fullmatch("(?:[a-z2-7]{4}-){5}[a-z2-7]{4}", one) for one in recovery)
    assert (factors.is_on(who.id), row(who).confirmed_at) == (True, NOON)
    assert factors.waiting(who.id, mark) is None
    assert said(refused(lambda: factors.confirm(who, code(secret, 30), mark))) == BEGIN_AGAIN
    told_when_on = "Codes are asked for already. Switch them off first, to set them up on another phone."
    assert said(refused(lambda: factors.start(who))) == (Conflict, told_when_on)
    assert unseal(row(who).sealed) == secret


@pytest.mark.parametrize("typed", ["", "12345", "000000", "abcdef"])
def test_a_code_that_is_not_right_is_said_of_its_field(typed: str) -> None:
    who = moderator()
    secret, mark = begun(who)
    problem = refused(lambda: factors.confirm(who, "111111" if typed == code(secret) else typed, mark))
    words = "That code is not right. Wait for the next one, and check that your phone knows the time."
    assert (type(problem), problem.errors) == (Invalid, {"code": [{"code": "wrong", "detail": words}]})
    assert factors.is_on(who.id) is False


@pytest.mark.parametrize("written", ["{}{}", " {} {} ", "{}-{}"])
def test_a_code_passes_once_however_it_is_written(written: str) -> None:
    who = moderator()
    secret, _ = set_up(who)
    typed = written.format(code(secret)[:3], code(secret)[3:])
    assert passes(who, typed) is True
    told = deeds(lambda: factors.passes(who.id, typed))
    assert told == [("session.refused", "system", INSTALL, who.id, {"step": "code"})]


@pytest.mark.parametrize(("late", "is_right"), [(-60, False), (-30, False), (0, True), (30, True), (60, False)])
def test_a_code_of_a_neighbouring_half_minute_passes_if_none_newer_did(late: int, is_right: bool) -> None:
    who = moderator()
    secret, _ = set_up(who)  # with the code of the half minute before this one
    assert passes(who, code(secret, late)) is is_right


def test_no_code_is_good_for_somebody_else() -> None:
    who, bob, nobody = moderator(), moderator(BOB), moderator("eve@example.org")
    (secret, recovery), _ = set_up(who), set_up(bob)
    for typed in (code(secret), recovery[0]):
        assert passes(bob, typed) is False and passes(nobody, typed) is False
        assert passes(who, typed) is True


def test_a_recovery_code_passes_once_and_is_written_down() -> None:
    who, bob = moderator(), moderator(BOB)
    (_, recovery), _ = set_up(who), set_up(bob)
    actor, passed = f"moderator:{who.id}", list[bool]()
    told = deeds(lambda: passed.append(factors.passes(who.id, f" {recovery[1].upper().replace('-', ' ')}")))
    assert (told, passed) == ([("factor.recovery-used", actor, INSTALL, who.id, {"left": 9})], [True])
    assert passes(who, recovery[1]) is False and passes(who, recovery[1][:-1]) is False
    assert (queries.recovery_left(who.id), queries.recovery_left(bob.id)) == (9, 10)
    assert db.session.query(RecoveryCode).filter_by(used_at=NOON).count() == 1
    assert deeds(lambda: factors.passes(who.id, recovery[2]))[0][-1] == {"left": 8}


def test_other_recovery_codes_replace_those_before() -> None:
    who, bob, new = moderator(), moderator(BOB), list[str]()
    (_, old), (_, others) = set_up(who), set_up(bob)
    told = deeds(lambda: new.extend(factors.renew_recovery(who)))
    assert told == [("factor.recovery-made", f"moderator:{who.id}", INSTALL, who.id, {})]
    assert len(set(new)) == 10 and not set(new) & set(old)
    assert [passes(who, one) for one in (old[0], new[0])] == [False, True]
    assert passes(bob, others[0]) is True


def test_where_no_codes_are_asked_for_there_is_nothing_to_recover_from() -> None:
    who = moderator()
    begun(who)
    problem = refused(lambda: factors.renew_recovery(who))
    assert said(problem) == (Conflict, "No codes are asked for, so there is nothing to recover from.")
    assert queries.recovery_left(who.id) == 0


def test_codes_are_switched_off_for_one_account() -> None:
    who, bob, was_on = moderator(), moderator(BOB), list[bool]()
    (secret, recovery), (others, _) = set_up(who), set_up(bob)
    told = deeds(lambda: was_on.append(factors.switch_off(who, actor="command")))
    assert (told, was_on) == ([("factor.codes-off", "command", INSTALL, who.id, {})], [True])
    assert [passes(who, one) for one in (code(secret), recovery[0])] == [False, False]
    assert (factors.is_on(who.id), queries.recovery_left(who.id), queries.recovery_left(bob.id)) == (False, 0, 10)
    assert passes(bob, code(others)) is True
    assert deeds(lambda: was_on.append(factors.switch_off(who, actor="command"))) == []
    assert was_on == [True, False]


def test_what_nobody_confirmed_in_time_is_forgotten(clock: Any) -> None:
    who, bob, late = moderator(), moderator(BOB), moderator("eve@example.org")
    begun(who), set_up(bob)
    clock.shift(timedelta(seconds=1))
    begun(late)
    clock.move_to(NOON + timedelta(minutes=10))
    with transaction():
        assert factors.purge() == 1
    assert {one.moderator_id for one in db.session.query(TotpSecret)} == {bob.id, late.id}


def test_secrets_are_sealed_anew_and_stay_the_same() -> None:
    people = [moderator(), moderator(BOB)]
    before = [(set_up(who)[0], row(who).sealed) for who in people]
    with transaction():
        assert factors.reseal_secrets() == 2
    for who, (secret, sealed) in zip(people, before, strict=True):
        assert row(who).sealed != sealed and unseal(row(who).sealed) == secret


@pytest.mark.parametrize("email", [BOB, '"bob:x"@example.org'])
def test_an_app_reads_the_secret_with_the_account(email: str) -> None:
    secret = TOTP.new().base32_key
    read = TOTP.from_uri(factors.address_of(secret, Moderator(email=email)))
    assert (read.base32_key, read.label, read.issuer) == (secret, email.replace(":", " "), "Greenroom")
