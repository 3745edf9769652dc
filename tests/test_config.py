"""Settings: what cannot be used is refused by name."""

from __future__ import annotations

import pytest

from service.config import BadSetting, load


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
        ("PUBLIC_URL", "comments.example.org", "GREENROOM_PUBLIC_URL must start with http:// or https://."),
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


def test_the_public_address_follows_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_PORT", "8090")
    assert load().public_url == "http://127.0.0.1:8090"
