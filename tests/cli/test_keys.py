"""`greenroom keys create`: what somebody types before anything else in production."""

from __future__ import annotations

import stat
from pathlib import Path

from click.testing import CliRunner, Result

from service.cli.keys import group
from service.config import Settings
from service.privacy import keys


def create(path: Path, **settings: str) -> Result:
    return CliRunner().invoke(group, ["create"], env={"GREENROOM_KEYS_FILE": str(path), **settings})


def test_production_starts_with_the_keys_that_were_made(tmp_path: Path) -> None:
    path = tmp_path / "greenroom.keys"
    done = create(path, GREENROOM_ENV="production")
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.obtain(Settings(env="production", keys_file=str(path))).email


def test_keys_that_are_there_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "greenroom.keys"
    create(path)
    before = path.read_bytes()
    done = create(path)
    assert (done.exit_code, "is there already" in done.output) == (78, True)
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    done = create(tmp_path / "nowhere" / "greenroom.keys")
    assert (done.exit_code, "nowhere" in done.output) == (78, True)
    assert "Traceback" not in done.output
