"""The wheel holds what a checkout holds: migrations, templates, static files."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = place.glob("*.whl")
    return built


def test_every_file_of_the_package_is_in_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "service").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(wanted) > 100
    assert wanted <= names


def test_migrations_are_inside_the_package_and_nowhere_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"service/{path.relative_to(ROOT)}" for path in (ROOT / "migrations").rglob("*.py")}
    assert len(wanted) >= 4
    assert wanted <= names
    assert not [name for name in names if name.split("/")[0] not in ("service",) and ".dist-info" not in name]


def test_an_unpacked_wheel_migrates_a_database(wheel: Path, tmp_path: Path) -> None:
    """Away from the checkout, with the wheel alone on the path."""
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(wheel).extractall(unpacked)
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from service.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(unpacked), "migrate"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "greenroom.db").exists()
