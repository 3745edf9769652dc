"""Refusals that libraries make are told in our words too."""

from __future__ import annotations

import gc

import pytest
from flask import Flask


def test_a_file_that_need_not_be_sent_is_closed(app: Flask) -> None:
    """Else the collector says so, and warnings are errors."""
    client = app.test_client()
    with client.get("/desk/static/desk.css") as file:
        tag = file.headers["ETag"]
    answer = client.get("/desk/static/desk.css", headers={"If-None-Match": tag}, buffered=False)
    assert answer.status_code == 304
    del answer
    gc.collect()


@pytest.mark.parametrize("path", ["/docs/assets/swagger-ui.css", "/desk/static/desk.css"])
def test_a_file_that_is_another_one_by_now_is_refused_as_a_problem(app: Flask, path: str) -> None:
    client = app.test_client()
    with client.get(path) as file:
        assert file.status_code == 200
    answer = client.get(path, headers={"If-Match": '"another"'})
    assert (answer.status_code, answer.mimetype) == (412, "application/problem+json")
    assert answer.json["type"] == "/problems/stale-version"
