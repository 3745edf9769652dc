"""The audit chain: whole after everything, and broken where somebody touched it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from service.audit import operations, queries
from service.audit.models import AuditDetail, AuditEntry, AuditHead
from service.audit.operations import Deed, Head, digest, record, verify
from service.db import db, transaction
from service.privacy.seal import keys
from service.sites.models import Site


def broken() -> list[str]:
    db.session.rollback()
    return [one.broken for one in verify() if one.broken]


def write(site: Site, count: int) -> None:
    for n in range(count):
        with transaction():
            record(Deed("test.done", "test", site.id, None, {"n": n}))


def test_a_chain_is_whole_and_begins_with_its_site(app: Flask, site: Site) -> None:
    write(site, 5)
    (verdict,) = verify()
    assert (verdict.head.n, verdict.broken) == (6, None)


def flip(entry: AuditEntry) -> None:
    entry.actor = "nobody"


def flip_details(entry: AuditEntry) -> None:
    db.session.execute(update(AuditDetail).where(AuditDetail.entry_id == entry.id).values(details={"n": 99}))


def take_out(entry: AuditEntry) -> None:
    db.session.execute(delete(AuditDetail).where(AuditDetail.entry_id == entry.id))
    db.session.execute(delete(AuditEntry).where(AuditEntry.id == entry.id))


@pytest.mark.parametrize("touch", [flip, flip_details, take_out])
def test_the_first_touched_row_is_named(app: Flask, site: Site, touch: Callable[[AuditEntry], None]) -> None:
    write(site, 5)
    with transaction():
        touch(db.session.scalars(select(AuditEntry).where(AuditEntry.n == 3)).one())
    (found,) = broken()
    assert "3" in found


def test_a_cut_tail_is_found(app: Flask, site: Site) -> None:
    write(site, 5)
    with transaction():
        take_out(db.session.scalars(select(AuditEntry).where(AuditEntry.n == 6)).one())
    assert broken() == ["6 rows were written, 5 are left"]


def test_a_chain_without_its_head_is_found(app: Flask, site: Site) -> None:
    write(site, 5)
    with transaction():
        db.session.execute(delete(AuditHead))
    assert broken() == ["its head is gone"]


def test_a_tail_cut_with_its_head_is_found_by_a_head_that_was_noted(app: Flask, site: Site) -> None:
    write(site, 5)
    noted = [Head.read(str(one.head)) for one in verify()]
    assert [one.broken for one in verify(noted)] == [None]
    with transaction():
        take_out(db.session.scalars(select(AuditEntry).where(AuditEntry.n == 6)).one())
        last = db.session.scalars(select(AuditEntry).where(AuditEntry.n == 5)).one()
        db.session.execute(update(AuditHead).values(n=5, digest=last.digest))
    assert broken() == []
    assert [one.broken for one in verify(noted)] == ["6 rows were noted, 5 are left"]


def test_a_chain_that_was_written_anew_is_found_by_a_head_that_was_noted(app: Flask, site: Site) -> None:
    write(site, 2)
    (found,) = verify()
    other = Head(found.head.chain, 2, bytes(32))
    (verdict,) = verify([other])
    assert verdict.broken
    assert "row 2" in verdict.broken
    (again,) = verify([other, found.head])
    assert again.broken
    (missing,) = (one for one in verify([Head("install", 1, bytes(32))]) if one.broken)
    assert missing.broken == "its head is gone"


def recompute(n: int, key: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change a row and make the digests of all rows from there on anew, and the head, under a key."""
    with monkeypatch.context() as patch, transaction():
        patch.setattr(operations, "keys", lambda: replace(keys(), audit=key))
        rows = list(db.session.scalars(select(AuditEntry).where(AuditEntry.n >= n).order_by(AuditEntry.n)))
        rows[0].actor, previous = "nobody", rows[0].previous
        for one in rows:
            one.previous = previous
            one.digest = previous = digest(vars(one))
        db.session.execute(update(AuditHead).values(digest=previous))


def test_a_chain_recomputed_without_the_key_is_found(app: Flask, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    write(site, 5)
    third = db.session.scalars(select(AuditEntry.id).where(AuditEntry.n == 3)).one()
    recompute(3, keys().audit, monkeypatch)
    assert broken() == [], "the key alone is missing"
    recompute(3, bytes(32), monkeypatch)
    assert broken() == [f"row 3 ({third}): was changed"]


def test_erasing_the_words_keeps_the_chain(app: Flask, site: Site) -> None:
    write(site, 3)
    with transaction():
        db.session.execute(delete(AuditDetail))
    assert broken() == []


def test_8_writers_make_one_chain(app: Flask, site: Site) -> None:
    site_id = site.id

    def run() -> None:
        with app.app_context():
            for n in range(20):
                with transaction():
                    record(Deed("test.done", "test", site_id, None, {"n": n}))
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (verdict,) = verify()
    assert (verdict.head.n, verdict.broken) == (161, None)


def test_what_is_written_while_a_chain_is_walked_breaks_nothing(
    app: Flask, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server goes on working while somebody verifies."""
    heads = queries.heads

    def heads_and_then_a_deed() -> Sequence[AuditHead]:
        found = heads()
        writer = threading.Thread(target=lambda: write_elsewhere(app, site.id))
        writer.start()
        writer.join()
        return found

    monkeypatch.setattr("service.audit.queries.heads", heads_and_then_a_deed)
    (verdict,) = verify()
    assert (verdict.head.n, verdict.broken) == (1, None)


def write_elsewhere(app: Flask, site_id: UUID) -> None:
    with app.app_context(), transaction():
        record(Deed("test.done", "test", site_id))
