"""A database knows its keys: with others nothing is served, and what is wrong is named."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy.exc import OperationalError

from service.db import transaction
from service.privacy import operations, queries, seal
from service.privacy.keys import Keys

NAMES = {"INDEX_KEY", "AUDIT_KEY", "EMAIL_KEYS"}


@pytest.fixture(autouse=True)
def proved(app: Flask) -> Iterator[None]:
    """Proofs of the app's own keys, before a test and after it: other tests need them."""
    own = seal.keys()
    with transaction():
        operations.prove_keys()
    yield
    app.extensions["greenroom_keys"] = own
    with transaction():
        operations.renew_email_proof()


def with_keys(app: Flask, monkeypatch: pytest.MonkeyPatch, **changes: object) -> Keys:
    found = replace(seal.keys(), **changes)  # type: ignore[arg-type]
    monkeypatch.setitem(app.extensions, "greenroom_keys", found)
    return found


def test_the_keys_that_were_proved_are_right() -> None:
    found = operations.right_keys()
    assert (found.name, found.ok, found.detail) == ("keys", True, "They fit this database.")
    assert set(queries.proofs()) == NAMES


def test_proofs_are_made_as_in_databases_that_are_there() -> None:
    """Another proof of the same key would refuse every database that was made before."""
    for name, key in (("INDEX_KEY", seal.keys().index), ("AUDIT_KEY", seal.keys().audit)):
        assert queries.proofs()[name] == hmac.new(key, b"greenroom", hashlib.sha256).digest()
    assert seal.fernet().decrypt(queries.proofs()["EMAIL_KEYS"]) == b"greenroom"


def test_proving_again_changes_nothing() -> None:
    before = queries.proofs()
    with transaction():
        operations.prove_keys()
    assert queries.proofs() == before


def test_other_keys_prove_nothing_of_themselves(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with_keys(app, monkeypatch, index=b"another index key, also of enough bytes")
    with transaction():
        operations.prove_keys()
    assert not operations.right_keys().ok


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"index": b"i" * 40}, "GREENROOM_INDEX_KEY"),
        ({"audit": b"a" * 40}, "GREENROOM_AUDIT_KEY"),
        ({"email": (Fernet.generate_key().decode(),)}, "GREENROOM_EMAIL_KEYS"),
        ({"index": b"i" * 40, "audit": b"a" * 40}, "GREENROOM_INDEX_KEY, GREENROOM_AUDIT_KEY"),
    ],
)
def test_another_key_is_named(
    app: Flask, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], named: str
) -> None:
    with_keys(app, monkeypatch, **changes)
    found = operations.right_keys()
    assert (found.name, found.ok) == ("keys", False)
    assert found.detail == f"{named}: not the key that this database was made with."


def test_proofs_tell_nothing_of_the_keys() -> None:
    found = b" ".join(queries.proofs().values())
    assert seal.keys().index not in found
    assert seal.keys().audit not in found
    assert queries.proofs()["INDEX_KEY"] != queries.proofs()["AUDIT_KEY"]


def test_the_proof_of_a_rotated_key_needs_no_older_one(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    before = seal.keys()
    newest = Fernet.generate_key().decode()
    with_keys(app, monkeypatch, email=(newest, *before.email))
    with transaction():
        operations.renew_email_proof()
    with_keys(app, monkeypatch, email=(newest,))
    assert operations.right_keys().ok
    with_keys(app, monkeypatch, email=before.email)
    assert operations.right_keys().detail.startswith("GREENROOM_EMAIL_KEYS:")


def test_a_database_that_is_away_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> dict[str, bytes]:
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(queries, "proofs", away)
    found = operations.right_keys()
    assert (found.name, found.ok) == ("keys", False)
    assert found.detail == "The database cannot be reached (OperationalError)."


def test_a_database_without_proofs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "proofs", dict)
    assert operations.right_keys().detail.startswith("GREENROOM_INDEX_KEY, GREENROOM_AUDIT_KEY, GREENROOM_EMAIL_KEYS:")
