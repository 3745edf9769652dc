"""What a test of the proofs stands on, among the tests: a result holds as long as none of it has changed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_ALWAYS = ("tests/conftest.py", "tests/proof/conftest.py")
_PATH = re.compile(r"\btests/[\w./*-]*[\w*]")
_MODULE = re.compile(r"\btests(?:\.\w+)+")
_DATA = re.compile(r'"([\w.-]+\.(?:cjs|js|json|toml|txt))"')
_SHOWN = re.compile(r'"([\w/]+\.py)::')
_READ = {".py", ".js", ".cjs", ".json", ".toml", ".txt"}


def footing(file: str) -> set[Path]:
    """The files below tests/ that a test uses: what it imports, names as a module, path or file, and so on."""
    found: set[Path] = set()
    waiting = [ROOT / one for one in (file, *_ALWAYS)]
    while waiting:
        one = waiting.pop()
        if one not in found and one.is_file():
            found.add(one)
            waiting += _named(one)
    return found


@cache
def _named(file: Path) -> frozenset[Path]:
    """What one file names. A package's `__init__.py` and `conftest.py` go with whatever lies in it.

    Tables and scripts are named without their way (`"roles.txt"`), and one of those may name tests as pytest does.
    """
    text = file.read_text(errors="ignore") if file.suffix in _READ else ""
    paths = [one for name in _PATH.findall(text) for one in _files(name)]
    modules = set(_MODULE.findall(text)) | (set(_imports(file, text)) if file.suffix == ".py" else set())
    around = [file.parent / name for name in ("__init__.py", "conftest.py")]
    data = [one for name in _DATA.findall(text) for one in _data().get(name, ())]
    shown = [ROOT / "tests" / name for name in (() if file.suffix == ".py" else _SHOWN.findall(text))]
    return frozenset([*paths, *around, *data, *shown, *(one for name in modules for one in _module(name))])


@cache
def _data() -> dict[str, list[Path]]:
    """What lies in the rooms of the tests and is no Python, by its name."""
    found: dict[str, list[Path]] = {}
    for one in (ROOT / "tests").glob("*/*"):
        if one.suffix in _READ - {".py"}:
            found.setdefault(one.name, []).append(one)
    return found


def _files(name: str) -> Iterator[Path]:
    for one in ROOT.glob(name):
        yield from one.rglob("*.py") if one.is_dir() else [one]


def _imports(file: Path, text: str) -> Iterator[str]:
    """Modules of the tests that are imported, relative ones too, by their full names."""
    package = file.parent.relative_to(ROOT).parts
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            whole = ".".join(filter(None, (base, node.module or "")))
            yield from (whole, *(f"{whole}.{one.name}" for one in node.names))
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names)


def _module(name: str) -> Iterator[Path]:
    if name.partition(".")[0] == "tests":
        path = ROOT.joinpath(*name.split("."))
        yield from (path.with_suffix(".py"), path / "__init__.py")
