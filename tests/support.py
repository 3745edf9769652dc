"""Short ways to say what tests say often."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PAGE = "/reviews/blacksmith"

FULL = os.environ.get("GREENROOM_PROOFS") == "full"
"""Whether the proofs run at their full size, as `make prove` has them, and not at the suite's quick one."""

CORPORA = Path(os.environ.get("GREENROOM_CORPORA", Path(__file__).parent.parent.parent / "shared"))
"""Real exports and attack payloads, if they are there."""


def submission(**changes: Any) -> dict[str, Any]:
    """A submission that nothing is wrong with."""
    return {"page": PAGE, "name": "Ada", "email": "ada@mail.example.org", "body": "What a *fine* series."} | changes


def post(
    client: FlaskClient, site: str = "blog", headers: dict[str, str] | None = None, **changes: Any
) -> TestResponse:
    return client.post(f"/v1/sites/{site}/comments", json=submission(**changes), headers=headers)


def thread(client: FlaskClient, site: str = "blog", page: str = PAGE, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/v1/sites/{site}/thread", query_string={"page": page} | query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found
