"""A receiver on one's own machine: it prints every webhook, and says whether its signature is right."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler
from ipaddress import IPv4Address
from socketserver import ThreadingTCPServer
from threading import Lock
from typing import Any

import click

from service.cli.printing import CONFIG, DATA, Refusal
from service.db import now
from service.strictjson import BadJSON, loads
from service.webhooks.signing import BadSecret, BadSignature, key_of, verify

_LARGEST = 1_000_000
"""Bytes of a body; ours have less than 20,000."""
_PATIENCE = 15
"""Seconds that a sender may take."""
_SHOWN = 4_000
_TAKEN, _UNSIGNED = 204, 401
_RIGHT, _WRONG, _UNCHECKED = "right", "wrong", "not checked"


@dataclass(frozen=True)
class Received:
    """A message as it is told. `times`: how often its id came since the start. `body`: as JSON, else as text."""

    at: str
    type: str | None
    id: str | None
    times: int
    signature: str
    why: str | None
    status: int
    body: Any


@dataclass(frozen=True)
class Manner:
    """With which secrets to check, what to answer (None: by the signature), and how to print."""

    secrets: tuple[str, ...]
    status: int | None
    as_json: bool


class _Listener(ThreadingTCPServer):
    """Prints one message at a time, however many come at once."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, place: tuple[str, int], manner: Manner) -> None:
        super().__init__(place, _Handler)
        self.manner, self.printing = manner, Lock()
        self.seen: Counter[str] = Counter()

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """Tell of a message; the status to answer."""
        with self.printing:
            one = received(self.manner, headers, body, self.seen)
            for line in [json.dumps(asdict(one))] if self.manner.as_json else lines(one):
                click.echo(line)
        return one.status


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE
    server: _Listener

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self.send_error(411)
        elif len(length) > 9 or int(length) > _LARGEST:
            self.send_error(413)
        else:
            with suppress(ConnectionError):  # the sender has gone
                self._take(int(length))

    def _take(self, length: int) -> None:
        body = self.rfile.read(length)
        if len(body) == length:
            self.send_response(self.server.take(dict(self.headers.items()), body))
            self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server names it
        """Of what is no message, nothing is told."""


def received(manner: Manner, headers: Mapping[str, str], body: bytes, seen: Counter[str]) -> Received:
    """What a message is, and what to answer: 204, but 401 where the signature is wrong. Counts it in `seen`."""
    told = {name.lower(): value for name, value in headers.items()}
    message_id = told.get("webhook-id")
    seen[message_id or ""] += 1
    why = _wrong(manner.secrets, told, body)
    signature = _UNCHECKED if not manner.secrets else _WRONG if why else _RIGHT
    document = _read(body)
    return Received(
        at=f"{now():%Y-%m-%dT%H:%M:%SZ}",
        type=str(document["type"]) if isinstance(document, dict) and "type" in document else None,
        id=message_id,
        times=seen[message_id or ""],
        signature=signature,
        why=why,
        status=manner.status or (_UNSIGNED if why else _TAKEN),
        body=document,
    )


def _read(body: bytes) -> Any:
    try:
        return loads(body)
    except BadJSON:
        return body.decode(errors="replace")


def _wrong(secrets: tuple[str, ...], headers: Mapping[str, str], body: bytes) -> str | None:
    try:
        if secrets:
            verify(secrets, headers, body, now())
    except BadSignature as error:
        return str(error)
    return None


def lines(one: Received) -> Iterator[str]:
    """A message for people. Nothing in it can move the cursor of their terminal."""
    again = f", {one.times} times by now" if one.times > 1 else ""
    yield _plain(f"{one.at}  {one.type or 'no event'}  signature {one.signature}  answered {one.status}")
    yield _plain(f"    webhook-id {one.id or 'missing'}{again}")
    if one.why:
        yield f"    {one.why}"
    text = one.body if isinstance(one.body, str) else json.dumps(one.body, ensure_ascii=False, indent=2)
    for line in text[:_SHOWN].split("\n"):
        yield f"    {_plain(line)}"
    yield ""


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def _typed() -> tuple[str, ...]:
    """Secrets from the standard input: a command line is read by every user of the machine."""
    found = tuple(sys.stdin.buffer.read().decode(errors="replace").split())
    try:
        for one in found:
            key_of(one)
    except BadSecret as error:
        raise Refusal(str(error), DATA) from error
    if not found:
        raise Refusal("There is no secret on the standard input.", DATA)
    return found


def _address(_context: object, _option: object, host: str) -> str:
    """An IPv4 address: no name server is asked for where to listen."""
    try:
        return str(IPv4Address("127.0.0.1" if host == "localhost" else host))
    except ValueError:
        raise click.BadParameter("Write an IPv4 address, such as 127.0.0.1 or 0.0.0.0.") from None


def _open(place: tuple[str, int], manner: Manner) -> _Listener:
    try:
        return _Listener(place, manner)
    except OSError as error:
        raise Refusal(f"Cannot listen at {place[0]}:{place[1]}: {error.strerror or error}.", CONFIG) from error


@click.command()
@click.option("--host", default="127.0.0.1", callback=_address, help="The address to listen on: 0.0.0.0 for all.")
@click.option("--port", default=8081, type=click.IntRange(1, 65_535), help="The port to listen on.")
@click.option("--secret-stdin", is_flag=True, help="Check signatures with the secrets on the standard input, whsec_….")
@click.option("--status", type=click.IntRange(200, 599), help="Answer this. Else 204, and 401 to a wrong signature.")
@click.option("--json", "as_json", is_flag=True, help="Print each message as one line of JSON.")
def listen(host: str, port: int, secret_stdin: bool, status: int | None, as_json: bool) -> None:
    """Receive webhooks here, print them, and say whether they are signed right. Ends with Ctrl-C."""
    manner = Manner(_typed() if secret_stdin else (), status, as_json)
    with _open((host, port), manner) as server:
        checks = "Signatures are checked." if manner.secrets else "Signatures are not checked: there is no secret."
        click.echo(f"Listening at http://{host}:{port}/ until Ctrl-C. {checks}", err=True)
        _serve(server)


def _serve(server: _Listener) -> None:
    with suppress(KeyboardInterrupt):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        server.serve_forever()


COMMANDS = (listen,)
