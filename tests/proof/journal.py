"""Clients that write, and their journal: what each was told, by which the oracle judges what is stored."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from select import select
from socket import MSG_PEEK
from typing import Any

from service.errors import MEDIA_TYPE, OutcomeUnknown

PATIENCE = 30.0
"""Seconds after which a client gives a request up."""

_COMES_AGAIN = 0.3
"""Seconds that a client waits after a refusal. (It is told 5, but then a short fault would be seen by few.)"""

_PAGES = 12
_CONTINUE = b"HTTP/1.1 100"


@dataclass(frozen=True)
class Asked:
    """One request: a submission, or a moderator's decision `about` a comment."""

    key: str
    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    about: str = ""


@dataclass(frozen=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: Any


Send = Callable[[Asked], Answered]
"""Raises OSError or HTTPException when the connection ended after the server had taken the request."""


@dataclass
class Journal:
    """`accepted` holds each key whose 2xx a client has read, `unknown` each that ended in any other way."""

    token: str
    prefix: str = "said"
    accepted: dict[str, Answered] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    """Key → the status that it was told, or 0 when the connection ended, or nobody knows what became of it."""
    asked: dict[str, Asked] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    """Answers that nobody may get, whatever the fault."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._seed = random.Random(15)
        self._undecided: deque[str] = deque()
        self._published: list[str] = []
        self._pages: dict[str, str] = {}

    def count(self, *statuses: int) -> int:
        """Requests that were not accepted but told one of these; 0 for those that were taken and never answered."""
        return sum(status in statuses for status in self.unknown.values())

    def next(self) -> Asked:
        """What a client asks next: after every other submission something is decided."""
        with self._lock:
            number = len(self.asked)
            key = f"{self.prefix}-{number:06}"
            decides = number % 3 == 2 and self._undecided
            made = self._decision(key, self._undecided.popleft()) if decides else self._submission(key, number)
            self.asked[key] = made
            return made

    def _submission(self, key: str, number: int) -> Asked:
        """Each from a network of its own, some with a rating, some in answer to what is published."""
        body: dict[str, Any] = {"page": f"/films/{number % _PAGES}", "name": "Ada", "email": f"{key}@mail.example.org"}
        body["body"] = f"{key}: what a *fine* film."
        if number % 4 == 0:
            body["rating"] = number % 10 + 1
        if number % 5 == 0 and self._published:
            body["parent_id"] = self._seed.choice(self._published)
            body["page"] = self._pages[body["parent_id"]]
        network = f"100.{number >> 8 & 255}.{number & 255}.7"
        return Asked(key, "/v1/sites/blog/comments", body, {"X-Forwarded-For": network})

    def _decision(self, key: str, about: str) -> Asked:
        decision = self._seed.choice(["approve", "approve", "reject"])
        path = f"/v1/moderation/comments/{about}/decision"
        return Asked(key, path, {"decision": decision}, {"Authorization": f"Bearer {self.token}"}, about)

    def write(self, asked: Asked, send: Send) -> Answered | None:
        """Ask once, and write down what came of it."""
        try:
            answer = send(asked)
        except (OSError, HTTPException):
            answer = None
        with self._lock:
            if answer and answer.status < 300:
                self.accepted[asked.key] = answer
                self.unknown.pop(asked.key, None)
                self._learn(asked, answer)
            else:
                self.unknown[asked.key] = answer.status if answer and not _is_unsure(answer) else 0
                self.wrong += [f"{asked.key}: {fault}" for fault in (refusal_faults(answer) if answer else [])]
        return answer

    def _learn(self, asked: Asked, answer: Answered) -> None:
        if asked.about and asked.body["decision"] == "approve":
            self._published.append(asked.about)
        elif not asked.about and answer.body["id"]:
            self._pages[answer.body["id"]] = asked.body["page"]
            self._undecided.append(answer.body["id"])

    def replay(self, send: Send) -> Iterator[str]:
        """Ask again what was never answered, and some of what was: each must be done now, and done once."""
        for key in list(self.unknown):
            answer = self.write(self.asked[key], send)
            if not answer or answer.status >= 300:
                yield f"{key}: asked again it got {answer and (answer.status, answer.body)}"
        for key in self._seed.sample(sorted(self.accepted), min(20, len(self.accepted))):
            before, again = self.accepted[key], send(self.asked[key])
            if (again.status, again.body["id"]) != (before.status, before.body["id"]):
                yield f"{key}: asked again it got {again.status}, {again.body}"


def _is_unsure(answer: Answered) -> bool:
    return str(answer.body.get("type")).endswith(f"/{OutcomeUnknown.slug}")


def refusal_faults(answer: Answered) -> Iterator[str]:
    """What is wrong about a refusal during a fault: it must be 503 or 507, a problem, and say when to come again."""
    told = {name.lower(): value for name, value in answer.headers.items()}
    if answer.status not in (503, 507):
        yield f"refused with {answer.status}: {answer.body}"
    elif told.get("content-type") != MEDIA_TYPE:
        yield f"{answer.status} is no problem+json but {told.get('content-type')}"
    elif not told.get("retry-after", "").isdigit():
        yield f"{answer.status} without Retry-After"


class Rotation:
    """The ports of the servers that are in use, taken in turn: what a proxy knows about its upstreams."""

    def __init__(self, *ports: int) -> None:
        self.ports = list(ports)
        self._turn = 0

    def next(self) -> int | None:
        ports = self.ports
        self._turn += 1
        return ports[self._turn % len(ports)] if ports else None


class Line:
    """One client's open connections. What a server hangs up on before it has taken it is asked of the next one."""

    def __init__(self, rotation: Rotation) -> None:
        self._rotation, self._tick = rotation, threading.Event()
        self._open: dict[int, HTTPConnection] = {}
        self.handed_on = 0

    def send(self, asked: Asked) -> Answered:
        end = time.monotonic() + PATIENCE
        content = json.dumps(asked.body).encode()
        while True:
            port = self._rotation.next()
            if port is None:
                raise ConnectionRefusedError
            try:
                connection, goes_on = self._offer(port, asked, len(content))
                break
            except (OSError, HTTPException):
                self._hang_up(port)
                self.handed_on += 1
                if time.monotonic() > end:
                    raise
                self._tick.wait(0.02)
        try:
            if goes_on:
                connection.send(content)
            return _read(connection)
        except BaseException:
            self._hang_up(port)
            raise

    def _offer(self, port: int, asked: Asked, length: int) -> tuple[HTTPConnection, bool]:
        """Send the head and wait until the server says that it takes the request (RFC 9110, 10.1.1)."""
        connection = self._open.get(port) or HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._open[port] = connection
        connection.putrequest("POST", asked.path, skip_accept_encoding=True)
        headers = {"Content-Type": "application/json", "Content-Length": str(length), "Idempotency-Key": asked.key}
        for name, value in (headers | asked.headers | {"Expect": "100-continue"}).items():
            connection.putheader(name, value)
        connection.endheaders()
        sock = connection.sock
        select([sock], [], [], PATIENCE)
        head = sock.recv(len(_CONTINUE), MSG_PEEK)
        if not head:
            raise ConnectionResetError
        return connection, head == _CONTINUE

    def _hang_up(self, port: int) -> None:
        connection = self._open.pop(port, None)
        if connection:
            connection.close()

    def close(self) -> None:
        for port in list(self._open):
            self._hang_up(port)


def _read(connection: HTTPConnection) -> Answered:
    with connection.getresponse() as response:
        text = response.read()
        if response.will_close:
            connection.close()
        return Answered(response.status, dict(response.headers), json.loads(text))


class Clients:
    """Some threads that write at up to `rate` requests a second, until they are stopped."""

    def __init__(self, journal: Journal, rotation: Rotation, *, rate: float, number: int = 12) -> None:
        self.journal, self.rotation, self._rate = journal, rotation, rate
        self._before = len(journal.asked), len(journal.accepted)
        self.stopped = threading.Event()
        self._pace, self._due = threading.Lock(), time.monotonic()
        self._lines = [self.line() for _ in range(number)]
        self._threads = [threading.Thread(target=self._run, args=(line,)) for line in self._lines]
        self.last_accepted = 0.0
        """When the latest request began that was accepted."""
        self.trouble: list[str] = []

    @property
    def asked(self) -> int:
        """Requests of these clients."""
        return len(self.journal.asked) - self._before[0]

    @property
    def accepted(self) -> int:
        return len(self.journal.accepted) - self._before[1]

    def line(self) -> Line:
        """One client's, who asks the servers themselves."""
        return Line(self.rotation)

    @property
    def handed_on(self) -> int:
        return sum(line.handed_on for line in self._lines)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.stopped.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        for line in self._lines:
            line.close()
        assert not self.trouble, self.trouble

    def _run(self, line: Line) -> None:
        try:
            while not self._wait_for_turn():
                began = time.monotonic()
                answer = self.journal.write(self.journal.next(), line.send)
                if answer and answer.status < 300:
                    self.last_accepted = max(began, self.last_accepted)
                elif answer:
                    self.stopped.wait(_COMES_AGAIN)
        except BaseException as error:  # a client that died in silence would prove less than it seems to
            self.trouble.append(repr(error))
            raise

    def _wait_for_turn(self) -> bool:
        """Wait for this client's turn; whether they were stopped meanwhile."""
        with self._pace:
            now = time.monotonic()
            self._due = max(self._due, now) + 1 / self._rate
            delay = self._due - now
        return self.stopped.wait(delay)

    def replay(self) -> list[str]:
        """Once they have stopped: what is wrong with asking again."""
        with closing(self.line()) as line:
            return list(self.journal.replay(line.send))

    def write(self, number: int) -> None:
        """Let them write until so many more were accepted, however long, as long as it goes on."""
        enough = len(self.journal.accepted) + number
        while (done := len(self.journal.accepted)) < enough:
            self._await(lambda done=done: len(self.journal.accepted) > done)  # type: ignore[misc]

    def write_for(self, seconds: float) -> None:
        self.stopped.wait(seconds)

    def answered_after(self, moment: float) -> float:
        """Wait until a request that began after `moment` is accepted; how many seconds after it that was."""
        self._await(lambda: self.last_accepted > moment)
        return time.monotonic() - moment

    def _await(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "nothing is accepted"
            self.stopped.wait(0.01)


@contextmanager
def writing(clients: Clients) -> Iterator[Clients]:
    """Clients that write while the block lasts."""
    clients.start()
    try:
        yield clients
    finally:
        clients.stop()
