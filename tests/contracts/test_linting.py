"""The bans that ruff holds: each seeded line is refused where it must not stand, and passes where it may."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.source import ROOT

RUFF = Path(sys.executable).parent / "ruff"


def codes(path: str, text: str) -> set[str]:
    """What `ruff check` finds in such a file."""
    done = subprocess.run(
        [RUFF, "check", "--no-cache", "--output-format", "concise", "--stdin-filename", path, "-"],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return {line.split(" ")[1] for line in done.stdout.splitlines() if line.startswith(path)}


@pytest.mark.parametrize(
    "line",
    [
        "import socket",
        "import ssl",
        "from http.client import HTTPSConnection",
        "from http import client",
        "import urllib.request",
        "from urllib.request import urlopen",
        "import smtplib",
        "import requests",
        "from httpx import Client",
        "import dns.resolver",
        "from email_validator.deliverability import validate_email_deliverability",
        "from sqlalchemy import select",
        "from os import environ",
        "from datetime import date\n\nprint(date.today())",
        "import datetime\n\nprint(datetime.datetime.now())",
        "import time\n\nprint(time.time())",
    ],
)
def test_network_environment_clock_and_sql_are_banned(line: str) -> None:
    assert "TID251" in codes("service/comments/operations.py", f"{line}\n")


def test_what_is_allowed_is_not_refused() -> None:
    text = "from http import HTTPStatus\nfrom urllib.parse import urlsplit\n"
    assert "TID251" not in codes("service/comments/operations.py", text)


def test_queries_may_say_sql() -> None:
    assert "TID251" not in codes("service/comments/queries.py", "from sqlalchemy import select\n")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("print('seen')\n", "T201"),
        ("def f(a: int, b: int, c: int, d: int, e: int, f: int) -> None: ...\n", "PLR0913"),
        ("def f(a: int) -> None:\n" + "".join(f"    if a == {n}:\n        return\n" for n in range(9)), "C901"),
        (f"x = '{'y' * 120}'\n", "E501"),
        ("x = 1  # noqa: S101\n", "RUF100"),
    ],
)
def test_the_usual_shape_is_held(text: str, code: str) -> None:
    assert code in codes("service/comments/operations.py", text)
