"""A site's settings: what it is called stands in pages, and in feeds, which are XML."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

ADD = ["sites", "add", "new", "--origin", "https://new.example.org", "--name"]
NO_NAMES = ["a\x01b", "a\x0cb", "a\nb", "a\u202eb", "\uffff", "  ", "x" * 201]


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_no_feed_can_hold_is_refused(app: Flask, client: FlaskClient, name: str) -> None:
    refused = app.test_cli_runner().invoke(args=[*ADD, name])
    assert refused.exit_code == 65 and "name" in refused.output, refused.output
    app.test_cli_runner().invoke(args=[*ADD, "New"])
    assert app.test_cli_runner().invoke(args=["sites", "set", "new", f"name={name}"]).exit_code == 65
    assert "<title>Comments: New</title>" in client.get("/v1/sites/new/feed.atom").text


@pytest.mark.parametrize("name", ["The Salt Ledger", "Ärger & <b>Ruhm</b> = 3", "漢字"])
def test_a_name_of_one_line_is_taken_as_it_is(app: Flask, client: FlaskClient, name: str) -> None:
    assert app.test_cli_runner().invoke(args=[*ADD, name]).exit_code == 0
    listed = app.test_cli_runner().invoke(args=["sites", "list"])
    assert f"new: {name}" in listed.output
    assert client.get("/v1/sites/new/feed.atom").status_code == 200
