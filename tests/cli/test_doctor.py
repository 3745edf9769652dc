"""The doctor tells what is, not what was meant to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from service.app import create_app
from service.config import Settings


def limits(settings: Settings, path: Path, **more: Any) -> str:
    """What the doctor says of limits."""
    chosen = replace(settings, database_url=f"sqlite:///{path}/greenroom.db", **more)
    app = create_app(chosen)
    with app.app_context():
        told = app.test_cli_runner().invoke(args=["doctor"])
    return next(line for line in told.output.splitlines() if " limits: " in line)


def test_the_doctor_says_when_the_store_of_limits_is_away(settings: Settings, tmp_path: Path) -> None:
    assert limits(settings, tmp_path, limits_enabled=True, redis_url="redis://127.0.0.1:9/0").startswith("FAIL")


def test_the_doctor_is_content_with_limits_in_one_process(settings: Settings, tmp_path: Path) -> None:
    assert "one process" in limits(settings, tmp_path, limits_enabled=True)


def test_the_doctor_says_when_nothing_is_limited(settings: Settings, tmp_path: Path) -> None:
    assert "Switched off" in limits(settings, tmp_path, limits_enabled=False)
