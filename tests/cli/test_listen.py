"""`greenroom listen`: a receiver on one's own machine, as an integrator runs it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from service.cli.listen import Manner, lines, received
from service.cli.printing import CONFIG, DATA
from service.db import now
from service.webhooks import signing
from tests.processes import PATIENCE, environment, free_port, until

SECRET, OLD = signing.new_secret(), signing.new_secret()
BODY = b'{"type":"ping","timestamp":"2026-03-01T12:00:00Z","data":{"endpoint":{"id":"1"}}}'
_GREENROOM = Path(sys.executable).parent / "greenroom"
_direct = build_opener(ProxyHandler({}))


class Listening:
    """The command while it runs, and what it has printed."""

    def __init__(self, place: Path, process: subprocess.Popen[bytes], port: int) -> None:
        self.place, self.process, self.port = place, process, port

    @property
    def out(self) -> str:
        return (self.place / "out").read_text()

    @property
    def err(self) -> str:
        return (self.place / "err").read_text()

    def answers(self) -> bool:
        return b"501" in self.hears(b"GET / HTTP/1.1\r\n\r\n")

    def sends(self, body: bytes = BODY, secret: str = SECRET, age: int = 0) -> int:
        """The status that a message is answered with."""
        at = now() - timedelta(seconds=age)
        signed = signing.headers([secret], "01a20663-fd9f-74df-9abe-c1f3c0dac1e0", int(at.timestamp()), body)
        try:
            url = f"http://127.0.0.1:{self.port}/anywhere"
            with _direct.open(Request(url, body, signed), timeout=10) as answer:
                return int(answer.status)
        except HTTPError as refused:
            with refused:
                return refused.code

    def hears(self, raw: bytes) -> bytes:
        """What is answered to something that is no message, if it is answered."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as other:
            other.sendall(raw)
            other.shutdown(socket.SHUT_WR)
            return other.makefile("rb").read()


@contextmanager
def listening(place: Path, *options: str, typed: str = "") -> Iterator[Listening]:
    port = free_port()
    command = [_GREENROOM, "listen", "--port", str(port), *options]
    with (place / "out").open("wb") as out, (place / "err").open("wb") as err:
        process = subprocess.Popen(command, cwd=place, env=environment(), stdin=subprocess.PIPE, stdout=out, stderr=err)
        assert process.stdin
        process.stdin.write(typed.encode())
        process.stdin.close()
        try:
            one = Listening(place, process, port)
            until(lambda: "until Ctrl-C" in one.err, alive=process)
            until(one.answers, alive=process)
            yield one
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)


def test_messages_are_told_with_their_signature_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with listening(tmp_path, "--secret-stdin", typed=SECRET) as one:
        assert one.sends() == 204
        assert one.sends(secret=OLD) == 401
        assert one.sends(age=400) == 401
        first, again, late = one.out.strip().split("\n\n")
    assert one.process.returncode == 0 and "Traceback" not in one.err
    assert "ping  signature right  answered 204" in first
    assert '"type": "ping"' in first and "webhook-id 01a20663-fd9f-74df-9abe-c1f3c0dac1e0" in first
    assert "signature wrong  answered 401" in again and "2 times by now" in again
    assert "No signature is by this secret" in again and "seconds ago" in late
    assert sorted(path.name for path in tmp_path.iterdir()) == ["err", "out"], "it needs no keys and no database"


def test_secrets_are_read_where_no_list_of_processes_shows_them(tmp_path: Path) -> None:
    with listening(tmp_path, "--secret-stdin", "--json", typed=f"{SECRET}\n{OLD}\n") as one:
        assert [one.sends(), one.sends(secret=OLD), one.sends(secret=signing.new_secret())] == [204, 204, 401]
        told = [json.loads(line) for line in one.out.splitlines()]
    assert [line["signature"] for line in told] == ["right", "right", "wrong"]
    assert [line["times"] for line in told] == [1, 2, 3]
    assert told[0]["body"] == json.loads(BODY) and told[0]["type"] == "ping" and told[0]["why"] is None
    assert SECRET not in one.out + one.err


def test_another_status_is_answered_to_whatever_comes(tmp_path: Path) -> None:
    with listening(tmp_path, "--status", "500", "--secret-stdin", typed=SECRET) as one:
        assert [one.sends(), one.sends(secret=OLD)] == [500, 500]
        assert "signature right  answered 500" in one.out


def test_without_a_secret_nothing_is_said_to_be_right(tmp_path: Path) -> None:
    with listening(tmp_path) as one:
        assert one.sends() == 204
        assert "signature not checked" in one.out and "right" not in one.out
    assert "not checked: there is no secret" in one.err


def test_it_listens_on_the_loopback_alone(tmp_path: Path) -> None:
    with listening(tmp_path) as one, socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", one.port)) != 0


def test_what_is_no_message_is_refused_and_it_goes_on(tmp_path: Path) -> None:
    with listening(tmp_path, "--secret-stdin", typed=SECRET) as one:
        for length, status in ((b"2000000", b"413"), (b"9" * 5_000, b"413"), (b"many", b"411"), (b"-1", b"411")):
            assert status in one.hears(b"POST / HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n")
        assert b"400" in one.hears(b"no request at all\r\n\r\n")
        assert one.hears(b"POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\nends too soon") == b""
        assert one.sends() == 204
        assert one.out.count("webhook-id") == 1
    assert "Traceback" not in one.err


def refused(place: Path, *options: str, typed: str = "") -> tuple[int, str]:
    done = subprocess.run(
        [_GREENROOM, "listen", *options], cwd=place, env=environment(), input=typed, capture_output=True, text=True,
        timeout=PATIENCE,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_what_cannot_be_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, told = refused(tmp_path, "--port", str(taken.getsockname()[1]))
        assert (code, "Cannot listen at 127.0.0.1" in told) == (CONFIG, True)
    assert refused(tmp_path, "--host", "receiver.example.org")[0] == 2
    for options, typed in ((["--secret-stdin"], "password"), (["--secret-stdin"], "")):
        code, told = refused(tmp_path, *options, typed=typed)
        assert (code, "secret" in told, "password" in told) == (DATA, True, False), told


def taken(body: bytes, **headers: str) -> Any:
    return received(Manner((), None, as_json=False), headers, body, Counter())


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[1, 2]", b'"text"', b"{", b"[" * 5_000, b'{"type": {"a": 1}}'])
def test_whatever_comes_is_told_somehow(body: bytes) -> None:
    assert list(lines(taken(body)))


def test_what_comes_does_not_move_the_terminals_cursor() -> None:
    body = json.dumps({"type": "\x1b[2J", "data": "a\x9b1m\u202eb"}, ensure_ascii=False)
    for raw in (body.encode(), f"no json {body}".encode()):
        told = "\n".join(lines(taken(raw, **{"webhook-id": "\x1b[2J"})))
        assert [one for one in told if not one.isprintable() and one != "\n"] == []
        assert "\\u001b[2J" in told
