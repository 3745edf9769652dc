"""The service's source as syntax trees, and the rules about it that no linter has."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
VERBS = {"select", "insert", "update", "delete", "text"}
LONGEST_FILE, LONGEST_FUNCTION = 300, 40
LONGEST_TESTS = 400
"""Lines of a file of tests: it is a list, read one entry at a time."""

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base"}
EMPTY_ENDINGS = ("Manager", "Helper", "Util", "Utils")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One file: its path from the root of the repository, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def name(self) -> str:
        return Path(self.path).name


def sources(*folders: str) -> Iterator[Source]:
    """Every Python file of ours below these folders of the repository."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" in path.parts:
                continue
            yield Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def sql_verbs(source: Source) -> list[str]:
    """SELECT, INSERT, UPDATE, DELETE and raw text, by whatever door of SQLAlchemy they come in."""
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            found += [f"imports {one.name}" for one in node.names if one.name in VERBS]
        if isinstance(node, ast.Import):
            found += [f"imports {one.name} whole" for one in node.names if one.name.startswith("sqlalchemy")]
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("db", "sa"):
            found += [f"says {node.value.id}.{node.attr}"] if node.attr in VERBS else []
        if isinstance(node, ast.Attribute) and (node.attr == "exec_driver_sql" or _legacy_query(node)):
            found.append(f"says .{node.attr}")
    return found


def _legacy_query(node: ast.Attribute) -> bool:
    """`session.query…` or `Comment.query.filter_by…`; the query of an address is another thing."""
    owner = node.value
    by_session = node.attr == "query" and ast.unparse(owner).endswith("session")
    on_query = isinstance(owner, ast.Attribute) and owner.attr == "query"
    return by_session or (on_query and node.attr in ("all", "first", "filter", "filter_by", "get", "order_by"))


def text_as_condition(source: Source) -> bool:
    """Whether `text()` is said only as the condition of a partial index, which is part of a table."""
    conditions = {
        id(word.value)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg in ("sqlite_where", "postgresql_where")
    }
    calls = (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    return all(id(call) in conditions for call in calls if isinstance(call.func, ast.Name) and call.func.id == "text")


def commits(source: Source) -> list[str]:
    """Where something commits: the names of the functions."""
    said = ("commit", "begin_nested", "autocommit")
    return [name for name, node in _named(source.tree) if isinstance(node, ast.Attribute) and node.attr in said]


def transactions(source: Source) -> list[str]:
    """Where a transaction is opened, by whatever name it was imported."""
    found = []
    for name, node in _named(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "service.db":
            found += [f"{name} imports transaction" for one in node.names if one.name == "transaction"]
        if isinstance(node, ast.Attribute) and node.attr == "transaction":
            found.append(f"{name} says .transaction")
    return found


def lookups(source: Source) -> list[str]:
    """Checks of an address that would ask a name server: they do unless they are told not to."""
    return [
        ast.unparse(node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("validate_email")
        and not any(word.arg == "check_deliverability" and _is_false(word.value) for word in node.keywords)
    ]


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def environment(source: Source) -> list[str]:
    """Ways to the process's environment."""
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            found += [f"os.{node.attr}"] if node.attr in ("environ", "environb", "getenv", "putenv") else []
        if isinstance(node, ast.ImportFrom) and node.module in ("os", "environs"):
            found += [one.name for one in node.names if "env" in one.name.lower()]
        if isinstance(node, ast.Import):
            found += [one.name for one in node.names if one.name == "environs"]
    return found


def clocks(source: Source) -> list[str]:
    """Ways to ask for the time of day."""
    said = {"now", "utcnow", "today", "time"}
    return [
        f"{node.func.value.id}.{node.func.attr}()"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("datetime", "date", "time")
        and node.func.attr in said
    ]


def empty_names(source: Source) -> list[str]:
    """Names of files, folders and classes that say nothing."""
    parts = Path(source.path).with_suffix("").parts
    classes = [node.name for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
    return [one for one in parts if one in EMPTY_NAMES] + [one for one in classes if one.endswith(EMPTY_ENDINGS)]


def length(source: Source) -> int:
    return len(source.text.splitlines())


def long_functions(source: Source) -> dict[str, int]:
    """Functions above the measure, with their lines; decorators and docstring included."""
    return {name: size for name, function in functions(source) if (size := _lines(function)) > LONGEST_FUNCTION}


def _lines(function: Function) -> int:
    assert function.end_lineno is not None
    first = min([function.lineno, *(one.lineno for one in function.decorator_list)])
    return function.end_lineno - first + 1


def functions(source: Source) -> Iterator[tuple[str, Function]]:
    """Every function and method, by its dotted name."""
    for outer, node in _named(source.tree):
        if isinstance(node, Function):
            yield f"{outer}.{node.name}".removeprefix("."), node


def _named(node: ast.AST, name: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Every node below, with the dotted name of the function or class that it stands in."""
    for child in ast.iter_child_nodes(node):
        yield name, child
        inner = f"{name}.{child.name}".removeprefix(".") if isinstance(child, ast.ClassDef | Function) else name
        yield from _named(child, inner)
