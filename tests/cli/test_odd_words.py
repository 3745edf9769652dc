"""Words of a command that no command can use: a sentence and an exit code, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.inprocess import run
from tests.processes import environment


def test_bytes_that_are_no_utf_8_are_refused(tmp_path: Path) -> None:
    done = run("sites", "set", "\udcff", "mode=pre", cwd=tmp_path, env=environment())
    assert (done.returncode, done.stderr) == (65, "Error: What was typed is not all text in UTF-8.\n")
    assert list(tmp_path.iterdir()) == []


def test_variables_of_flask_are_no_second_way_to_say_something(tmp_path: Path) -> None:
    done = run("sites", "list", cwd=tmp_path, env=environment(FLASK_SITES_LIST_AS_JSON="perhaps"))
    assert (done.returncode, "perhaps" in done.stderr) == (78, False)


@pytest.mark.parametrize(
    "words",
    [("serve", "--port", "65536"), ("demo", "--port", "-1"), ("tokens", "add", "a@b.example", "--days", "9" * 11)],
)
def test_numbers_that_nothing_can_hold_are_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(*words, cwd=tmp_path, env=environment())
    assert (done.returncode, "is not in the range" in done.stderr) == (2, True)
