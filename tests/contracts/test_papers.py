"""Nothing in the repository is half done, and what it is built from can come from any mirror."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.source import ROOT

_UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
_HOST = re.compile(r"https?://|--(?:extra-)?index-url|--find-links")
_TEXTS = {".py", ".md", ".toml", ".html", ".js", ".css", ".yml", ""}


def texts() -> Iterator[tuple[str, str]]:
    """Everything that we wrote: not what is vendored, nor what a tool leaves behind."""
    for folder in ("service", "migrations", "tests", "benchmarks", "docs", ".ci"):
        yield from _below(ROOT / folder)
    yield from ((one.name, one.read_text(encoding="utf-8")) for one in ROOT.glob("*.md"))
    yield "pyproject.toml", (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    yield "Makefile", (ROOT / "Makefile").read_text(encoding="utf-8")


def _below(folder: Path) -> Iterator[tuple[str, str]]:
    for one in sorted(folder.rglob("*")):
        ours = one.is_file() and one.suffix in _TEXTS and not {"vendor", "__pycache__", "node_modules"} & set(one.parts)
        if ours:
            yield one.relative_to(ROOT).as_posix(), one.read_text(encoding="utf-8")


def test_nothing_is_left_for_later() -> None:
    found = dict(texts())
    assert len(found) > 200
    assert [name for name, text in found.items() if _UNFINISHED.search(text)] == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_hashes_and_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9][\w.\[\],-]*==", text, re.MULTILINE)
    assert len(pins) > 50
    assert text.count("--hash=sha256:") >= len(pins)
    assert _HOST.search(text) is None
    assert not (ROOT / "uv.lock").exists()


def test_the_lock_of_npm_pins_hashes_and_names_no_host() -> None:
    text = (ROOT / "tests/widget/package-lock.json").read_text(encoding="utf-8")
    packages = {name: one for name, one in json.loads(text)["packages"].items() if name}
    assert len(packages) >= 15
    assert [name for name, one in packages.items() if not str(one.get("integrity")).startswith("sha512-")] == []
    assert '"resolved"' not in text
    wanted = json.loads((ROOT / "tests/widget/package.json").read_text(encoding="utf-8"))["devDependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


@pytest.mark.parametrize("text", ["# TO" + "DO: later", "FIX" + "ME", "// HA" + "CK"])
def test_what_is_left_for_later_is_seen(text: str) -> None:
    assert _UNFINISHED.search(text)


@pytest.mark.parametrize("text", ["--index-url x", "flask @ https://files.example/flask.whl"])
def test_a_host_is_seen(text: str) -> None:
    assert _HOST.search(text)
