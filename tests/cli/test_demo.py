"""The demo, run again: what was made before is kept, and is where the demo is now."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from service.cli import install, operate
from service.config import Settings
from service.db import db, transaction
from service.sites import operations, queries
from service.sites.addresses import canonical
from service.sites.models import Site
from tests.processes import free_port
from tests.support import post

MINE, NEAR = "https://mine.example.org", "http://localhost:3000"
"""Sites of somebody's own, one of them on the same machine."""


@pytest.fixture(autouse=True)
def place(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def prepared(settings: Settings, port: int) -> Site:
    """The demo's site, as it is made or found on a port."""
    install.prepare(replace(settings, port=port, public_url=f"http://127.0.0.1:{port}"))
    db.session.expire_all()
    site = queries.site_of("demo")
    assert site
    return site


def where(site: Site, page: str) -> str | None:
    """The address of the page that is found there."""
    found = queries.page_at(site, canonical(page, origins=site.origins).key)
    return found and found.url


def test_on_another_port_its_pages_are_there_and_come_back(app: Flask, settings: Settings) -> None:
    site = prepared(settings, 8080)
    with transaction():
        operations.change_site(site, {"mode": "post", "origins": [*site.origins, MINE, NEAR]}, actor="test")
    for page in ("/", "http://localhost:8080/b?c", f"{MINE}/d", f"{NEAR}/e"):
        assert post(app.test_client(), "demo", page=page, body=f"On {page}").status_code in (201, 202)
    for port in (8090, 8080):
        site = prepared(settings, port)
        main, other, mine = f"http://127.0.0.1:{port}/", f"http://localhost:{port}/b?c", f"{MINE}/d"
        assert site.origins == [main[:-1], other[:-4], MINE, NEAR]
        assert [where(site, page) for page in ("/", other, mine, f"{NEAR}/e")] == [main, other, mine, f"{NEAR}/e"]


def test_a_page_whose_place_is_taken_stays_where_it_is(app: Flask, settings: Settings) -> None:
    site = prepared(settings, 8080)
    with transaction():
        operations.change_site(site, {"origins": [*site.origins, "http://127.0.0.1:8090"]}, actor="test")
        for port in (8080, 8090):
            at = canonical(f"http://127.0.0.1:{port}/b", origins=site.origins)
            operations.open_page(site, at, f"On {port}", actor="test")
    site = prepared(settings, 8090)
    assert where(site, "http://127.0.0.1:8090/b") == "http://127.0.0.1:8090/b"
    assert queries.page_at(site, canonical("http://127.0.0.1:8090/b", origins=site.origins).key).title == "On 8090"  # type: ignore[union-attr]


def test_on_the_same_port_nothing_is_changed(app: Flask, settings: Settings) -> None:
    version = prepared(settings, 8080).version
    assert prepared(settings, 8080).version == version


@pytest.mark.parametrize(("asked", "level"), [("INFO", logging.WARNING), ("DEBUG", logging.DEBUG)])
def test_while_it_serves_its_words_stay_in_sight(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch, asked: str, level: int
) -> None:
    root, seen = logging.getLogger(), list[int]()
    monkeypatch.setattr(root, "level", logging.getLevelName(asked))
    monkeypatch.setitem(app.config, "PUBLIC_URL", "")
    monkeypatch.setitem(app.extensions, "greenroom_settings", replace(settings, port=free_port(), log_level=asked))
    monkeypatch.setattr(operate, "start_worker", lambda *_: None)
    monkeypatch.setattr(operate, "_serve", lambda *_: seen.append(root.level))
    done = app.test_cli_runner().invoke(args=["demo"])
    root.setLevel(logging.ERROR)  # also for what the loggers remember of it
    assert (done.exit_code, done.output.rstrip().endswith("Ctrl-C stops it."), seen) == (0, True, [level])
