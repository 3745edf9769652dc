"""How commands speak: plain lines for people, JSON for machines, and exit codes that mean something."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from cryptography.fernet import InvalidToken
from sqlalchemy.exc import DatabaseError, OperationalError

from service.config import BadSetting
from service.errors import DAMAGED, Problem, Unsure, damaged
from service.revisions import WrongSchema

DATA, UNAVAILABLE, CONFIG = 65, 69, 78
"""Exit codes after sysexits.h: bad input, not reachable, bad settings."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


def show(document: Any, lines: Callable[[], Iterator[str]], machine: bool) -> None:
    """Print `document` as JSON, or the lines that `lines` makes for people."""
    if machine:
        click.echo(json.dumps(document, indent=2, default=str))
        return
    for line in lines():
        click.echo(line)


class Refusal(click.ClickException):
    """A sentence on stderr and an exit code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.exit_code = code  # type: ignore[misc]  # click reads it off the instance all the same


@contextmanager
def told() -> Iterator[None]:
    """Turn what can go wrong into a sentence and an exit code."""
    try:
        yield
    except Problem as problem:
        errors = [f"{name}: {one['detail']}" for name, found in (problem.errors or {}).items() for one in found]
        raise Refusal(" ".join([problem.detail, *errors]), DATA) from problem
    except (BadSetting, WrongSchema) as error:
        raise Refusal(str(error), CONFIG) from error
    except Unsure as error:
        raise Refusal("The database went away just then. Look whether this was done.", UNAVAILABLE) from error
    except OperationalError as error:
        raise Refusal("The database is busy or away. Nothing was changed.", UNAVAILABLE) from error
    except DatabaseError as error:
        if not damaged(error):
            raise
        raise Refusal(DAMAGED, CONFIG) from error
    except InvalidToken as error:
        raise Refusal("GREENROOM_EMAIL_KEYS: no key opens what is sealed in this database.", CONFIG) from error
