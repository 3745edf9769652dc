"""What the pages of a site may ask from their scripts, and read."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.db import new_id
from service.sites.models import Site
from tests.conftest import ORIGIN
from tests.support import PAGE

THREAD = f"/v1/sites/blog/thread?page={PAGE}"


def test_scripts_may_send_what_the_doors_read(client: FlaskClient, site: Site) -> None:
    headers = client.options(THREAD, headers={"Origin": ORIGIN}).headers
    allowed = headers["Access-Control-Allow-Headers"].split(", ")
    assert set(allowed) >= {"Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"}


def test_scripts_may_read_what_the_doors_tell(client: FlaskClient, site: Site) -> None:
    exposed = client.get(THREAD, headers={"Origin": ORIGIN}).headers["Access-Control-Expose-Headers"].split(", ")
    assert set(exposed) >= {"ETag", "RateLimit", "Retry-After", "Idempotency-Replayed", "X-Request-Id"}


@pytest.mark.parametrize("query", ["&nothing=%00", "&odd=1", "&sort=odd"])
def test_scripts_may_read_every_refusal(client: FlaskClient, site: Site, query: str) -> None:
    answer = client.get(THREAD + query, headers={"Origin": ORIGIN})
    assert answer.status_code >= 400
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


SAID = {"page": PAGE, "name": "Ada", "email": "ada@mail.example.org", "body": "A word"}
DEVICE = {"device": "d" * 22}
BODIES = {
    "/v1/sites/<site>/comments": SAID,
    "/v1/sites/<site>/comments/<uuid:comment_id>/vote": DEVICE,
    "/v1/sites/<site>/comments/<uuid:comment_id>/report": DEVICE | {"reason": "spam"},
    "/v1/sites/<site>/counts": {"pages": [PAGE]},
    "/v1/sites/<site>/preview": {"body": "A word"},
    "/embed/<site>/comments": SAID,
}
"""What each public door takes."""


def test_no_public_post_is_taken_from_a_foreign_page(app: Flask, site: Site) -> None:
    posts = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/v1/sites/<site>", "/embed/<site>")) and "POST" in (rule.methods or ())
        if not hasattr(app.view_functions[rule.endpoint], "guarded_scope")
    }
    assert posts == set(BODIES)
    for rule, body in BODIES.items():
        path = rule.replace("<site>", "blog").replace("<uuid:comment_id>", str(new_id()))
        how = {"data": body} if path.startswith("/embed") else {"json": body}
        answer = app.test_client().post(path, headers={"Origin": "https://evil.example.com"}, **how)
        assert answer.json["type"] == "/problems/origin-not-allowed", path
