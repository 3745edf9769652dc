"""The manual against the code: its examples run, its tables are complete, its links lead somewhere."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from flask import Flask
from flask.cli import ScriptInfo

from service import __main__ as entry
from service import errors
from service.app import create_app
from service.config import Settings
from service.spam import verdict
from service.spam.rules import SPAM
from service.webhooks.outbox import EVENT_TYPES
from tests.conftest import ROOT
from tests.processes import PATIENCE, ask, environment, free_port, running, until
from tests.transfer import exports
from tests.warm import warmed

DOCS = ROOT / "docs"
PAPERS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
_FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_CALLS = re.compile(r"\b(curl|greenroom)\b|sqlite3|BASE")
_CODE = re.compile(r'(?:PlainTextError\(|Invalid\.field\([^,]+,|"code":|\(\s*_[A-Z_]+,)\s*"([a-z-]+)"')
_KINDS: dict[type, Any] = {dict: dict, list: list, str: str, bool: bool, int: (int, float), float: (int, float)}
_APART = "@@ block @@"
_FIRST = "greenroom demo --prepare-only; greenroom sites add blog --origin https://blog.example.org"
_BATCH = re.compile(r"(?<=import undo )[0-9a-f-]{36}")
_NEWEST = "$(greenroom import list --json | grep -om1 '[0-9a-f-]\\{36\\}')"
_ROOM = {"GREENROOM_LIMIT_SUBMIT": "1000/minute", "GREENROOM_LIMIT_PREVIEW": "1000/minute"}


@dataclass(frozen=True)
class Block:
    """An example, and the JSON that the page shows as its answer."""

    line: int
    language: str
    text: str
    shown: Any = None


def blocks(page: str) -> list[Block]:
    """The `sh` and `python` examples of a page, each with the `json` right after it."""
    found: list[Block] = []
    end = -1  # of the last example, until something stands behind it
    for fence in _FENCE.finditer(page):
        language, text = fence[2], fence[3]
        if language in ("sh", "python") and _CALLS.search(text):
            found.append(Block(page.count("\n", 0, fence.start()) + 1, language, text))
            end = fence.end()
        elif language == "json" and end >= 0 and not page[end : fence.start()].strip():
            found[-1] = replace(found[-1], shown=json.loads(text))
    return found


def with_examples() -> list[Path]:
    return [page for page in sorted(DOCS.glob("*.md")) if blocks(page.read_text())]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A directory with a demo that is being served, and the environment in which its examples run."""
    cwd, port = tmp_path_factory.mktemp("manual"), free_port()
    base = f"http://127.0.0.1:{port}"
    with warmed(tmp_path_factory.mktemp("warm")) as path:
        env = environment(GREENROOM_PORT=str(port), GREENROOM_PUBLIC_URL=base, GREENROOM_LOG_LEVEL="WARNING", **_ROOM)
        env["PATH"] = f"{path}:{env['PATH']}"
        exports.saved(cwd, exports.export(exports.item(exports.comment())))
        perform([Block(0, "sh", _FIRST)], cwd, env)
        login = json.loads((cwd / "greenroom.demo").read_text())
        with running("serve", cwd=cwd, env=env) as server:
            until(lambda: ask(f"{base}/readyz")[0] == 200, alive=server)
            yield cwd, env | {"BASE": base, "TOKEN": login["token"], "SITE": "demo"}


@pytest.mark.parametrize("page", with_examples(), ids=lambda page: page.name)
def test_examples_work_as_they_are_shown(page: Path, place: tuple[Path, dict[str, str]]) -> None:
    examples = blocks(page.read_text())
    outputs = perform(examples, *place)
    for example, output in zip(examples, outputs, strict=True):
        if example.shown is not None:
            missing = differences(example.shown, last_json(output))
            assert not missing, f"{page.name}, line {example.line}: {missing}\n{output}"


def perform(examples: list[Block], cwd: Path, env: dict[str, str]) -> list[str]:
    """Run a page's examples one after another in one shell that stops at the first failure; what each printed."""
    script = "".join(f"echo {_APART!r}\n{_in_shell(one)}\n" for one in examples)
    shell = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(shell, cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE * 3)
    outputs = done.stdout.split(f"{_APART}\n")[1:]
    assert done.returncode == 0, f"line {examples[len(outputs) - 1].line}: {outputs[-1]}\n{done.stderr}"
    return outputs


def _in_shell(one: Block) -> str:
    if one.language == "sh":
        return _BATCH.sub(_NEWEST, one.text)
    return f"{sys.executable} - <<'END_OF_EXAMPLE'\n{one.text}END_OF_EXAMPLE"


def last_json(output: str) -> Any:
    """The last JSON document in what an example printed; several may stand one after another."""
    found, at = None, 0
    while (start := min((n for n in (output.find("{", at), output.find("[", at)) if n >= 0), default=-1)) >= 0:
        found, length = json.JSONDecoder().raw_decode(output[start:])
        at = start + length
    return found


def differences(shown: Any, real: Any, at: str = "") -> list[str]:
    """Where an answer has another shape than the page shows. Values may differ, and null stands for anything."""
    if shown is None or real is None:
        return []
    if isinstance(shown, dict) and isinstance(real, dict):
        missing = [f"{at}.{name} is missing" for name in shown if name not in real]
        inner = [differences(shown[name], real[name], f"{at}.{name}") for name in shown if name in real]
        return sum(inner, missing)
    if isinstance(shown, list) and isinstance(real, list):
        return differences(shown[0], real[0], f"{at}[0]") if shown and real else []
    return [] if isinstance(real, _KINDS[type(shown)]) else [f"{at} is {real!r}"]


def test_a_shown_field_that_is_not_answered_is_seen() -> None:
    assert differences({"a": {"b": 1}}, {"a": {"c": 1}}) == [".a.b is missing"]
    assert differences([{"a": 1}], [{"a": "text"}]) == ["[0].a is 'text'"]
    assert differences({"a": [1]}, {"a": 1}) == [".a is 1"]


def test_an_example_that_fails_is_seen(tmp_path: Path) -> None:
    fine, wrong = Block(1, "sh", "true"), Block(7, "sh", "curl --no-such-option")
    with pytest.raises(AssertionError, match="line 7"):
        perform([fine, wrong, fine], tmp_path, dict(os.environ))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An app to look at, not to ask."""
    keys = tmp_path_factory.mktemp("keys") / "greenroom.keys"
    return create_app(Settings(keys_file=str(keys), log_level="ERROR"))


def manual(name: str) -> str:
    return (DOCS / name).read_text()


def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", DOCS / "tables.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "value"), [("settings.md", "`8080`"), ("widget.md", "Post Comment")])
def test_tables_are_those_of_the_code(name: str, value: str) -> None:
    made = tables()
    page = manual(name)
    assert DOCS / name in made.PAGES
    assert made.written(page) == page, "run: python docs/tables.py"
    assert made.written(page.replace(value, "`80`")) == page, "the tables are not made anew"
    assert value in page


def commands(group: click.Group, context: click.Context, path: str = "greenroom") -> Iterator[str]:
    """The commands as click finds them, also those that no app has and a library brings along."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        if isinstance(command, click.Group):
            yield from commands(command, context, f"{path} {name}")
        else:
            yield f"{path} {name}"


def test_every_command_is_in_the_manual(bare: Flask) -> None:
    told = set(re.findall(r"^\| `(greenroom(?: [a-z-]+)+)", manual("commands.md"), re.MULTILINE))
    group = entry.commands()
    with click.Context(group, obj=ScriptInfo(create_app=lambda: bare)) as context:
        assert told == set(commands(group, context))


def test_every_problem_is_in_the_manual() -> None:
    def slugs(kind: type[errors.Problem]) -> set[str]:
        return {kind.slug}.union(*(slugs(below) for below in kind.__subclasses__()))

    importlib.import_module("service.front.door")
    told = re.findall(r"^## ([a-z-]+)$", manual("problems.md"), re.MULTILINE)
    assert sorted(told) == sorted(slugs(errors.Problem) | set(errors._SLUGS.values()))


def test_every_code_of_a_field_is_in_the_manual() -> None:
    by_commands = {"accounts", "sites", "transfer"}  # theirs are read by people, as sentences
    sources = [path for path in (ROOT / "service").rglob("*.py") if path.parent.name not in by_commands]
    codes = {code for path in sources for code in _CODE.findall(path.read_text())} | set(errors._CODES.values())
    assert {"blank", "direction", "number", "off-scale", "cursor"} <= codes, "codes are written in another way now"
    told = set(re.findall(r"`([a-z-]+)`", manual("problems.md").split("## Codes of fields")[1]))
    assert codes <= told


def test_every_event_is_in_the_manual() -> None:
    told = re.findall(r"^\| `([a-z.]+)`", manual("events.md").partition("\n## Types\n")[2], re.MULTILINE)
    assert sorted(told) == sorted(EVENT_TYPES)


def test_every_rule_is_in_the_manual() -> None:
    source = (ROOT / "service/spam/rules.py").read_text()
    order = [rule.__name__ for rule in verdict.RULES]
    by_rule = dict(re.findall(r'def (\w+)\(facts(?:.|\n)*?Finding\(\w+, "([a-z-]+)"', source))
    codes = set(re.findall(r'Finding\(\w+, "([a-z-]+)"', source))
    told = dict(re.findall(r"^\| `([a-z-]+)` \|.*\| (spam|held) \|$", manual("spam.md"), re.MULTILINE))
    assert set(told) == codes
    assert [code for code in told if code in by_rule.values()] == [by_rule[name] for name in order]
    assert [code for code, then in told.items() if then == SPAM] == ["blocked", "shadowed", "honeypot", "spam-word"]


def headings(page: Path) -> set[str]:
    """The anchors of a page, as the usual renderers of Markdown make them."""
    titles = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAPERS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", page.read_text())):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{target} is not there"
        assert not anchor or anchor in headings(there), f"{target} has no such heading"


def test_architecture_is_short() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 150
