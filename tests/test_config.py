"""Settings: what cannot be used is refused by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.app import create_app
from service.config import BadSetting, Settings, load


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "99999", "GREENROOM_PORT must be a number from 1 to 65,535."),
        ("PORT", "0", "GREENROOM_PORT must be a number from 1 to 65,535."),
        ("PORT", "http", "GREENROOM_PORT is not a valid int."),
        ("THREADS", "0", "GREENROOM_THREADS must be a number from 1 to 1,000,000."),
        ("BUSY_TIMEOUT", "-1", "GREENROOM_BUSY_TIMEOUT must be a number from 0 to 1,000,000."),
        ("BODY_TIMEOUT", "nan", "GREENROOM_BODY_TIMEOUT is not a valid float."),
        ("FORM_MAX_HOURS", "inf", "GREENROOM_FORM_MAX_HOURS is not a valid float."),
        ("ENV", "staging", "GREENROOM_ENV must be development or production."),
        ("LOG_LEVEL", "loud", "GREENROOM_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR."),
        ("DATABASE_URL", "foo", "GREENROOM_DATABASE_URL must begin with sqlite:/// or postgresql+psycopg://."),
        ("DATABASE_URL", "mysql://db/greenroom", "GREENROOM_DATABASE_URL must begin with "),
        ("DATABASE_URL", "postgresql+psycopg://a:b@db:port/x", "GREENROOM_DATABASE_URL must begin with "),
        ("TRUSTED_PROXIES", "10.0.0.300", "GREENROOM_TRUSTED_PROXIES: "),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"GREENROOM_{name}", value)
    with pytest.raises(BadSetting) as refused:
        load()
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize(
    "url",
    [
        "comments.example.org", "http://", "https://x.example/comments", "https://x.example?", "ftp://x.example",
        "https://a:b@x.example", "https://x..example", "https://x.example:99999", "https://x .example", "http://[::",
    ],
)  # fmt: skip
def test_a_public_address_that_is_no_origin_is_named(url: str) -> None:
    with pytest.raises(BadSetting, match="^GREENROOM_PUBLIC_URL cannot be used"):
        create_app(Settings(public_url=url))


@pytest.mark.parametrize("url", ["cache/hook", "https://a:b@cache/hook", "ftp://cache", "http://cache:99999"])
def test_a_purge_address_that_cannot_be_used_is_named(url: str, settings: Settings) -> None:
    with pytest.raises(BadSetting, match="^GREENROOM_PURGE_URL cannot be used"):
        create_app(replace(settings, purge_url=url))


@pytest.mark.parametrize(
    "url", ["http://varnish:6081/purge", "http://127.0.0.1/x", "https://api.fastly.com/service/1/purge"]
)
def test_a_purge_address_may_be_inside(url: str, settings: Settings) -> None:
    create_app(replace(settings, purge_url=url))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "https://x.example/", "https://bücher.example", "http://[::1]"]
)
def test_a_public_address_is_an_origin(url: str, settings: Settings) -> None:
    assert create_app(replace(settings, public_url=url)).config["PUBLIC_URL"] == url.rstrip("/")


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgresql+psycopg://a:b@db/x", "postgresql://db/x"])
def test_a_database_of_ours_is_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_DATABASE_URL", url)
    assert load().database_url == url


def test_a_slash_at_the_end_of_the_public_address_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_PUBLIC_URL", "https://x.example/")
    assert load().public_url == "https://x.example"


def test_the_public_address_follows_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_PORT", "8090")
    assert load().public_url == "http://127.0.0.1:8090"
