"""Small faults for a source file: one change of its syntax tree each, in the manner of mutmut."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from os.path import commonprefix
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).parent.parent.parent

_OTHER: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
_UNREAD = {"annotation", "returns", "format_spec", "ctx", "func"}
_TYPING = {"cast", "TypeVar"}
_LONG, _AROUND = 80, 15


@dataclass(frozen=True)
class Mutant:
    """One change. `function`: the `__qualname__` of the one it is in, empty outside of all. `code`: of the module.

    `name` holds as long as the function does, whatever happens above it.
    """

    file: str
    function: str
    line: int
    name: str
    code: Callable[[], CodeType] = field(repr=False, compare=False)


def mutants(file: str, functions: tuple[str, ...] = ()) -> Iterator[Mutant]:
    """All of a file, or of these functions in it."""
    path = ROOT / file
    tree = ast.parse(path.read_text())
    named: Counter[str] = Counter()

    def compiled(place: _Place, new: ast.AST) -> CodeType:
        place.put(ast.fix_missing_locations(ast.copy_location(new, place.node)))
        try:
            return compile(tree, str(path), "exec")
        finally:
            place.put(place.node)

    for place in _places(tree):
        if not functions or place.function in functions:
            for new in _changes(place):
                name = f"{file} {place.function or 'outside'}: {_shown(place.node, new)}"
                named[name] += 1
                twin = f" ({named[name]})" if named[name] > 1 else ""
                yield Mutant(file, place.function, place.line, name + twin, partial(compiled, place, new))


@dataclass(frozen=True)
class _Place:
    """A node in a field of its holder, or in a list there."""

    holder: ast.AST
    name: str
    index: int | None
    node: ast.AST
    function: str

    @property
    def line(self) -> int:
        return int(getattr(self.node, "lineno", 0))

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.holder, self.name, node)
        else:
            getattr(self.holder, self.name)[self.index] = node


def _places(holder: ast.AST, function: str = "", prefix: str = "") -> Iterator[_Place]:
    """Whatever is run below a node. Defaults and decorators of a function are run where it is defined."""
    inner, below = function, prefix
    if isinstance(holder, ast.FunctionDef):
        inner, below = prefix + holder.name, f"{prefix}{holder.name}.<locals>."
    elif isinstance(holder, ast.ClassDef):
        below = f"{prefix}{holder.name}."
    for name, value in ast.iter_fields(holder):
        where = (inner, below) if name == "body" else (function, prefix)
        for index, node in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(node, ast.AST) and name not in _UNREAD and not _says_nothing(node):
                yield _Place(holder, name, index, node, where[0])
                yield from _places(node, *where)


def _says_nothing(node: ast.AST) -> bool:
    """Imports, types, docstrings; and asserts, which state what cannot be, so that no test sees one fail."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Expr(ast.Constant()):
            return True
        case ast.Assign([ast.Name("__all__")]):
            return True
        case ast.Call(ast.Name(name)):
            return name in _TYPING
    return False


def _changes(place: _Place) -> Iterator[ast.AST]:
    node = place.node
    match node:
        case ast.Compare(ops=ops):
            for number, op in enumerate(ops):
                yield _with(node, ops=[*ops[:number], _OTHER[type(op)](), *ops[number + 1 :]])
        case ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in _OTHER:
            yield _with(node, op=_OTHER[type(op)]())
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.Constant(value):
            yield from (ast.Constant(one) for one in _other_values(value))
        case ast.Return(value) if value and not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
        case ast.Call():
            yield from _fewer(node, place)
        case ast.AugAssign(op=op):
            yield ast.Pass()
            yield _with(node, op=_OTHER[type(op)]())
        case ast.Expr() | ast.Raise() | ast.Delete() | ast.Assign([ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
    if place.name == "test" and not isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield ast.UnaryOp(ast.Not(), node)  # type: ignore[arg-type]


def _fewer(call: ast.Call, place: _Place) -> Iterator[ast.AST]:
    """The call without each of its arguments, and what it is called on instead of it."""
    for number in range(len(call.args)):
        yield _with(call, args=call.args[:number] + call.args[number + 1 :])
    for number in range(len(call.keywords)):
        yield _with(call, keywords=call.keywords[:number] + call.keywords[number + 1 :])
    if not isinstance(place.holder, ast.Expr | ast.Raise):
        if isinstance(call.func, ast.Attribute):
            yield call.func.value
        elif call.args and not isinstance(call.args[0], ast.Starred | ast.GeneratorExp):
            yield call.args[0]


def _other_values(value: object) -> Iterator[bool | int | float | str | bytes]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case str():
            yield f"XX{value}XX"
        case bytes():
            yield b"XX" + value


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _shown(old: ast.AST, new: ast.AST) -> str:
    """What becomes of what; of long lines, where they differ and a little around it."""
    before, after = (" ".join(ast.unparse(one).split()) for one in (old, new))
    if len(before) <= _LONG:
        return f"{before} → {after}"
    start = len(commonprefix((before, after)))
    end = len(commonprefix((before[: start - 1 : -1], after[: start - 1 : -1])))
    start, end = max(0, start - _AROUND), max(0, end - _AROUND)
    return f"…{before[start : len(before) - end]:.{_LONG}}… → …{after[start : len(after) - end]:.{_LONG}}…"
