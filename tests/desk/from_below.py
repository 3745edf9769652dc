"""What the rooms below the desk may say there, read from their code: problems, findings, and words for codes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from service.moderation.operations import OTHERS
from service.reactions.policy import REASONS

SERVICE = Path(__file__).resolve().parents[2] / "service"
ROOMS = (
    "accounts",
    "comments",
    "filters",
    "moderation",
    "numbers",
    "outbound",
    "reactions",
    "rules",
    "sites",
    "spam",
    "webhooks",
)
FILES = ("doors.py", "errors.py", "limits.py", "pagination.py")
PROBLEMS = {
    "BadRequest", "Conflict", "Duplicate", "Forbidden", "Invalid", "NotFound", "Problem", "StaleVersion", "TooLarge",
    "TooManyRequests", "Unavailable", "ValidationError", "VersionNeeded", "WrongMediaType", "BadPage", "BadUrl",
    "BadValue", "Finding", "BadTarget", "disable",
}  # fmt: skip


_NAMED = re.compile(r"\{[^}]*\}")
"""What varies in a sentence that is filled in later."""


def sentences() -> set[str]:
    """Every sentence, with `{}` for what varies."""
    files = [SERVICE / one for one in FILES]
    for room in ROOMS:
        files += [one for one in (SERVICE / room).glob("*.py") if one.name not in ("outside.py",)]
    found = {text for file in files for text in _said(ast.parse(file.read_text()))}
    found |= {
        HTTPStatus(status).phrase.capitalize()
        for status in (400, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 503)
    }
    return found | set(OTHERS.values()) | set(REASONS.values())


def _said(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        texts: list[ast.expr] = []
        if isinstance(node, ast.Call) and _name(node.func) in PROBLEMS:
            texts = node.args + [one.value for one in node.keywords if one.arg == "errors"]
        elif isinstance(node, ast.Assign) and any(_name(one) == "detail" for one in node.targets):
            texts = [node.value]
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and "detail" in ast.dump(node):
            texts = [node.value] if node.value else []
        for text in texts:
            yield from _sentences(text)


def _name(node: ast.expr) -> str:
    """`Conflict`, `Invalid.field` → its first or only name of a problem."""
    names = [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]
    names += [one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)]
    return next((one for one in names if one in PROBLEMS), names[0] if names else "")


def _sentences(node: ast.expr) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in one.values)
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            text = _NAMED.sub("{}", one.value)
        else:
            continue
        if " " in text.strip() and text.strip()[0].isupper() and text.rstrip().endswith((".", "!", "?")):
            yield text.strip()
