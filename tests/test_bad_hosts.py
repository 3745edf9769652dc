"""A Host that is none is refused like anything else; a page could not even draw its own links under it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from service.errors import MEDIA_TYPE


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
@pytest.mark.parametrize("path", ["/desk/", "/embed/blog?page=/x", "/v1/sites", "/nowhere"])
def test_a_host_that_is_none_is_a_problem(client: FlaskClient, path: str, accept: str) -> None:
    answer = client.get(path, headers={"Host": "x" * 64, "Accept": accept})
    assert (answer.status_code, answer.content_type) == (400, MEDIA_TYPE)
