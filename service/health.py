"""Is the process up, is it ready, and if not, why not: in words for the operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, json
from sqlalchemy.exc import SQLAlchemyError

from service import revisions
from service.errors import DAMAGED, Unavailable, damaged
from service.revisions import WrongSchema

bp = Blueprint("health", __name__)


@dataclass(frozen=True)
class Finding:
    """One check: its name, whether it holds, and what to do when it does not."""

    name: str
    ok: bool
    detail: str
    away: bool = False
    """Whether the database gave no answer: another try may do."""
    warns: bool = False
    """It holds, and yet something should be done."""


Check = Callable[[], Finding]
_checks: list[Check] = []


def check(one: Check) -> Check:
    """Register a check that must hold before anything is served."""
    if one not in _checks:
        _checks.append(one)
    return one


@check
def database() -> Finding:
    try:
        revisions.check()
    except WrongSchema as error:
        return Finding("database", False, str(error))
    except SQLAlchemyError as error:
        return no_answer("database", error)
    return Finding("database", True, "Reached, and of this code's version.")


def file() -> Finding:
    """Not registered: it reads the whole file, so only a start and the doctor ask it."""
    try:
        whole = revisions.is_whole()
    except SQLAlchemyError as error:
        return no_answer("file", error)
    return Finding("file", whole, "Whole, as far as the database can tell." if whole else DAMAGED)


def no_answer(name: str, error: SQLAlchemyError) -> Finding:
    """The finding of a check to which the database gave no answer."""
    if damaged(error):
        return Finding(name, False, DAMAGED)
    return Finding(name, False, f"The database cannot be reached ({type(error).__name__}).", away=True)


def findings() -> list[Finding]:
    """Every check in order; a broken one ends the list, since the others lean on it."""
    found: list[Finding] = []
    for one in _checks:
        found.append(one())
        if not found[-1].ok:
            break
    return found


@bp.route("/healthz")
def healthz() -> Response:
    """The process is up."""
    return _answer({"status": "up"})


@bp.route("/readyz")
def readyz() -> Response:
    """Database, migrations and keys are in order."""
    found = findings()
    ready = all(one.ok for one in found)
    checks = {one.name: "ok" if one.ok else "failed" for one in found}
    if not ready:
        raise Unavailable("This process is not ready to work.", checks=checks)
    return _answer({"status": "ready", "checks": checks})


def _answer(document: dict[str, object]) -> Response:
    response = Response(json.dumps(document), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
