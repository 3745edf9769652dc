"""Files of other people are what they say they are."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from service import desk

STATIC = Path(desk.__file__).parent / "static"
VENDOR = STATIC / "vendor"
LISTED: list[dict[str, Any]] = tomllib.loads((VENDOR / "VENDORED.toml").read_text())["file"]


@pytest.mark.parametrize("one", LISTED, ids=lambda one: one["file"])
def test_a_vendored_file_has_its_hash_and_its_licence(one: dict[str, Any]) -> None:
    assert hashlib.sha256((VENDOR / one["file"]).read_bytes()).hexdigest() == one["sha256"]
    assert (VENDOR / one["licence_file"]).read_text().strip()
    assert all(one[name] for name in ("name", "package", "version", "path", "licence"))


def test_every_file_there_is_listed() -> None:
    listed = {one[name] for one in LISTED for name in ("file", "licence_file")} | {"VENDORED.toml"}
    assert {path.name for path in VENDOR.iterdir()} == listed


def test_the_list_names_no_host() -> None:
    assert not re.search(r"https?:|\.(com|org|net|io)/", (VENDOR / "VENDORED.toml").read_text())


def test_the_pages_load_only_files_that_are_there() -> None:
    base = (Path(desk.__file__).parent / "templates/desk/base.html").read_text()
    named = re.findall(r'"/desk/static/([^"]+)"', base)
    assert len(named) == 6 and all((STATIC / name).is_file() for name in named)
    assert "//" not in base.replace("<!doctype html>", "")
