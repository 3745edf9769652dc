"""Logs: JSON lines with a request id, and without anything private."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from service import logs
from service.logs import redact


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure("DEBUG")
    yield stream
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize(
    "private",
    [
        "ada@mail.example.org",
        "Ada.Lovelace+x@example.co.uk",
        "203.0.113.7",
        "2001:db8::1",
        "::ffff:203.0.113.7",
        "fe80::1ff:fe23:4567:890a",
        "grm_abcDEF123-_x",
        "gra_abcDEF123-_x",
        "whsec_abc",
    ],
)
def test_private_things_are_taken_out_wherever_they_stand(private: str) -> None:
    for text in (private, f"from {private}, it came", f'"{private}"', f"({private})", f"x={private};"):
        assert private not in redact(text)


@pytest.mark.parametrize(
    "text", ["12:30:59", "version 1.2.3", "0190f0f0-0000-7000-8000-000000000000", "a @ b", "std::move"]
)
def test_what_is_not_private_stays(text: str) -> None:
    assert redact(text) == text


def test_a_line_is_json_and_hides_arguments_and_extras(written: io.StringIO) -> None:
    logging.getLogger("x").info("mail from %s", "ada@mail.example.org", extra={"peer": "203.0.113.7", "status": 200})
    line = json.loads(written.getvalue())
    assert line["event"] == "mail from [email]"
    assert (line["peer"], line["status"], line["level"]) == ("[ip]", 200, "info")


def test_an_exception_is_told_by_its_place_not_its_words(written: io.StringIO) -> None:
    try:
        raise ValueError("ada@mail.example.org was refused")
    except ValueError as error:
        logging.getLogger("x").error("it failed", exc_info=error)
    line = json.loads(written.getvalue())
    assert line["exception"] == "ValueError"
    assert "test_logs.py" in line["where"] and "refused" not in written.getvalue()


def test_line_breaks_cannot_forge_a_line(written: io.StringIO) -> None:
    logging.getLogger("x").info('a\n{"event": "forged"}')
    assert len(written.getvalue().splitlines()) == 1


@pytest.mark.parametrize("name", ["sqlalchemy.engine.Engine", "flask-limiter"])
def test_libraries_that_tell_rows_and_keys_are_silent_at_debug(written: io.StringIO, name: str) -> None:
    logging.getLogger(name).info("no address, and still a person: %s", "0a1b2c3d4e5f6071")
    assert written.getvalue() == ""
