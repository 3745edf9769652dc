"""What the worker does with comments: retention, deliverability, rendering anew, rotation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dns.resolver
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from service.comments import worker
from service.comments.models import Comment
from service.comments.rotation import finish, reseal_some
from service.comments.upkeep import render_anew
from service.db import db, now, transaction
from service.privacy import keys, operations
from service.privacy.unseal import unseal
from service.sites.models import Site
from tests.support import post


def one() -> Comment:
    db.session.rollback()
    return db.session.scalars(select(Comment).execution_options(populate_existing=True)).one()


def test_private_things_are_forgotten_after_their_time(
    client: FlaskClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(client)
    assert not worker.forget()
    assert one().email_sealed and one().network_label
    later = now() + timedelta(days=366)
    monkeypatch.setattr("service.comments.upkeep.now", lambda: later)
    while worker.forget():
        pass
    assert (one().email_sealed, one().email_index, one().network_label) == (None, None, None)
    assert one().name == "Ada"


@pytest.mark.parametrize(
    ("error", "told"), [(dns.resolver.NXDOMAIN, ["email-undeliverable"]), (dns.resolver.NoNameservers, [])]
)
def test_an_address_that_takes_no_mail_is_noted_for_moderators(
    app: Flask,
    client: FlaskClient,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    told: list[str],
) -> None:
    def answer(*_: Any, **__: Any) -> None:
        raise error()

    monkeypatch.setattr(dns.resolver.Resolver, "resolve", answer)
    settings = app.extensions["greenroom_settings"]
    monkeypatch.setitem(app.extensions, "greenroom_settings", replace(settings, check_deliverability=True))
    post(client)
    worker.ask_for_mail()
    assert [reason.code for reason in one().reasons] == ["pre-moderation", *told]
    assert one().email_checked_at is not None
    assert one().version == 1
    monkeypatch.setattr(dns.resolver.Resolver, "resolve", lambda *_, **__: pytest.fail("asked twice"))
    worker.ask_for_mail()


def test_an_address_that_no_key_opens_keeps_the_others_from_nothing(
    app: Flask, client: FlaskClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = app.extensions["greenroom_settings"]
    monkeypatch.setitem(app.extensions, "greenroom_settings", replace(settings, check_deliverability=True))
    post(client)
    with transaction():
        db.session.execute(update(Comment).values(email_sealed=b"sealed with a key that is gone"))
    worker.ask_for_mail()
    assert one().email_checked_at is not None


def test_nobody_is_asked_unless_the_setting_says_so(
    client: FlaskClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns.resolver.Resolver, "resolve", lambda *_, **__: pytest.fail("asked"))
    post(client)
    worker.ask_for_mail()
    assert one().email_checked_at is None


def test_an_upgrade_renders_old_html_anew(client: FlaskClient, site: Site) -> None:
    post(client)
    fresh = one().html
    with transaction():
        db.session.execute(update(Comment).values(html="<p>old</p>", render_version=0))
    with transaction():
        assert render_anew(10) == 1
    assert (one().html, one().version) == (fresh, 1)
    assert render_anew(10) == 0


def test_rotation_seals_every_address_with_the_new_key(
    app: Flask, client: FlaskClient, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = app.extensions["greenroom_keys"]
    path = tmp_path / "greenroom.keys"
    keys.write(
        path,
        {
            "SECRET_KEY": before.secret,
            "EMAIL_KEYS": ",".join(before.email),
            "INDEX_KEY": before.index.decode(),
            "AUDIT_KEY": before.audit.decode(),
        },
    )
    settings = replace(app.extensions["greenroom_settings"], keys_file=str(path))
    post(client)
    keys.rotate_email_key(path)
    try:
        app.extensions["greenroom_keys"] = keys.obtain(settings)
        with transaction():
            assert reseal_some(None, 500) == (1, None)
            finish()
        keys.retire_email_keys(path)
        app.extensions["greenroom_keys"] = retired = keys.obtain(settings)
        assert len(retired.email) == 1 and retired.email[0] != before.email[0]
        sealed = one().email_sealed
        assert sealed and unseal(sealed) == "ada@mail.example.org"
        assert operations.right_keys().ok
        app.extensions["greenroom_keys"] = before
        assert operations.right_keys().detail.startswith("GREENROOM_EMAIL_KEYS")
    finally:
        app.extensions["greenroom_keys"] = before
        with transaction():
            operations.renew_email_proof()
