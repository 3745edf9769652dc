"""The whole app with two sites full of marked things."""

from __future__ import annotations

import pytest
from flask import Flask

from service.accounts import passwords
from service.accounts.passkeys import Party
from service.desk import factors
from service.sites.origins import own_origin
from tests.conftest import empty

from .world import World


@pytest.fixture(autouse=True, scope="session")
def quick_hashes() -> None:
    passwords.CONTEXT.update(argon2__time_cost=1, argon2__memory_cost=64, argon2__parallelism=1)


@pytest.fixture(autouse=True)
def reached_by_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are passkeys, though the tests' own address is a number."""
    monkeypatch.setattr(factors, "party", lambda: Party("comments.example.org", own_origin()))


@pytest.fixture(scope="session")
def built(migrated: Flask) -> World:
    """Built once in each database through the doors of the app; tests get it again."""
    with migrated.app_context():
        empty()
        return World(migrated)


@pytest.fixture
def world(built: World, app: Flask) -> World:
    return built.again()
