"""What a site owner relies on when one process is not enough: the compose file's services agree."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest

from tests.fleet.stack import Fleet, Said, fleet
from tests.processes import ask, free_port, until
from tests.support import PAGE, submission

pytestmark = pytest.mark.fleet
THREAD = f"/v1/sites/blog/thread?page={PAGE}"


@pytest.fixture(scope="module")
def ours() -> Iterator[Fleet]:
    with fleet() as made:
        made.run("sites", "add", "blog", "--name", "Blog", "--origin", "https://blog.example.org")
        limits = {f"limit_{name}": "1000000/hour" for name in ("submit", "page", "site")}
        made.run("sites", "set", "blog", *(f"{name}={value}" for name, value in limits.items()))
        yield made


@pytest.fixture(scope="module")
def token(ours: Fleet) -> str:
    ours.run("moderators", "add", "robin@example.org", "--name", "Robin", "--admin")
    scopes = [word for one in ("read", "moderate", "manage") for word in ("--scope", one)]
    told = ours.run("tokens", "add", "robin@example.org", "--name", "test", *scopes)
    return re.findall(r"\bgr[a-z]*_\S+", told)[0]


def say(ours: Fleet) -> Said:
    key = uuid4().hex
    body = submission(body=f"Words {key}", email=f"{key}@mail.example.org")
    return ours.ask("POST", "/v1/sites/blog/comments", body, {"Idempotency-Key": key})


def approve(member: str, ours: Fleet, comment_id: str, token: str) -> int:
    url = f"{ours.direct(member)}/v1/moderation/comments/{comment_id}/decision"
    return ask(url, {"decision": "approve"}, token)[0]


class Receiver:
    """Takes webhooks, and notes the comments that they are about."""

    def __init__(self) -> None:
        noted = self._noted = []  # type: ignore[var-annotated]

        class Takes(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                noted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", free_port()), Takes)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def heard(self) -> set[str]:
        return {one["data"]["comment"]["id"] for one in list(self._noted)}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_a_visitor_is_served_by_caddy_and_known_by_their_address(ours: Fleet, token: str) -> None:
    status, told = say(ours)
    assert status == 202
    assert approve("web 0", ours, told["id"], token) == 200
    until(lambda: told["id"] in str(ours.get(THREAD)[1]))
    assert ours.announce("POST", "/v1/sites/blog/preview", 3_000_000) == 413


def test_limits_are_shared(ours: Fleet) -> None:
    """30 previews a minute, whichever process one comes to; Caddy says who it is."""
    urls = [f"{ours.direct(one)}/v1/sites/blog/preview" for one in ours.members("web")]
    told = [ask(urls[n % 2], {"body": "a"}, headers={"X-Forwarded-For": "198.51.100.9"})[0] for n in range(40)]
    assert told.count(200) == 30 and told.count(429) == 10


def test_an_approval_in_one_is_seen_in_the_other(ours: Fleet, token: str) -> None:
    one, other = ours.members("web")
    for _ in range(20):
        made = say(ours)[1]["id"]
        assert made not in str(ask(ours.direct(other) + THREAD)[1])
        assert approve(one, ours, made, token) == 200
        assert made in str(ask(ours.direct(one) + THREAD + "&sort=newest")[1]), "not even where it was approved"
        seen = time.monotonic()
        until(lambda made=made: made in str(ask(ours.direct(other) + THREAD + "&sort=newest")[1]))  # type: ignore[misc]
        assert time.monotonic() - seen < 1.0


def test_two_workers_do_each_job_once_or_more(ours: Fleet, token: str, receiver: Receiver) -> None:
    endpoint = {"site": "blog", "url": receiver.url, "events": ["comment.created"]}
    status, told = ours.ask("POST", "/v1/webhooks/endpoints", endpoint, {"Authorization": f"Bearer {token}"})
    assert status == 201, told
    made = {say(ours)[1]["id"] for _ in range(20)}
    until(lambda: made <= receiver.heard())
