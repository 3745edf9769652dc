"""The ASGI app: takes in a request whole, then lends it a thread of the WSGI app's."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from wsgiref.types import WSGIApplication

from service import metrics
from service.errors import MEDIA_TYPE, BadRequest, Problem, TooLarge, Unavailable
from service.front.call import Call, environ_of
from service.front.lane import Lane
from service.front.ready import Shelf
from service.readcache import Asked, Ready, Store

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SAFE = {"GET", "HEAD", "OPTIONS"}
IN_MEMORY = 65_536  # of a body; the rest of it goes to a temporary file
_REFUSED = metrics.counter(
    "greenroom_front_refusals", "Requests that were refused before they came to the app.", "status"
)
LINGER = 2.0  # seconds to go on reading from a client that was refused before it had finished


class TooSlow(Problem):
    status, slug, detail = 408, "request-timeout", "The request took too long to arrive."


class Broken(Problem):
    status, slug, detail = 500, "internal-error", "Something went wrong on our side. It has been noted."


class ClientGone(Exception):
    """The client hung up before its request was complete."""


class Front:
    """Runs `wsgi_app` under ASGI, each request in one of `threads` threads once its body is complete.

    Half of them are for requests that may write (of one thread, another one): while those wait for the database's
    lock, whoever only reads is not behind them. A body of more than `max_body` bytes is refused with 413, one that
    takes more than `body_timeout` seconds with 408; when `max_waiting` requests of a kind wait for a thread, the next
    one is told 503.
    `on_startup` is called once, before the first request; if it raises, the server does not start. What `store` keeps
    is answered without a thread.
    """

    def __init__(  # noqa: PLR0913 - each one is a setting of the operator's
        self,
        wsgi_app: WSGIApplication,
        *,
        threads: int,
        max_body: int,
        body_timeout: float,
        max_waiting: int,
        on_startup: Callable[[], object] | None = None,
        store: Store | None = None,
    ) -> None:
        self._app = wsgi_app
        self.writing = Lane("writing", threads // 2 or 1, max_waiting)
        self.reading = Lane("reading", threads - threads // 2, max_waiting)
        self._max_body = max_body
        self._body_timeout = body_timeout
        self._on_startup = on_startup
        self._store = store
        self._shelf = Shelf(store, wsgi_app, self.reading) if store else None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        asked = self._shelf.asked(scope) if self._shelf else None
        if self._shelf is None or asked is None:
            return await self._through(scope, receive, send)
        if ready := self._shelf.find(asked):
            return await _give(ready, send)
        try:
            ready = await self._made(self._shelf, asked, scope)
        except Problem as problem:
            return await _refuse(problem, scope, send)
        return await _give(ready, send) if ready else await self._through(scope, receive, send)

    async def _made(self, shelf: Shelf, asked: Asked, scope: Message) -> Ready | None:
        _refuse_beyond(self.reading)
        try:
            return await shelf.make(asked, scope)
        except Exception as error:
            log.error("unexpected %s", type(error).__name__, exc_info=error)
            raise Broken from None

    async def _through(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            body = await self._take_body(scope, receive)
        except ClientGone:
            return None
        except Problem as problem:
            return await _refuse_unread(problem, scope, receive, send)
        with body:
            try:
                lane = self.reading if scope["method"] in SAFE else self.writing
                await _pass_on(Call(self._app, environ_of(scope, body)), lane, receive, send)
            except Problem as problem:
                await _refuse(problem, scope, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        if self._on_startup is not None:
            self._on_startup()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.reading.close()
        await self.writing.close()
        if self._store:
            self._store.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _take_body(self, scope: Message, receive: Receive) -> IO[bytes]:
        headers = dict(scope["headers"])
        declared = int(headers.get(b"content-length", 0))
        if declared > self._max_body:
            raise TooLarge
        if not declared and b"transfer-encoding" not in headers:
            return BytesIO()
        if b"upgrade" in headers:  # the parser would drop the body, or take it for the next request
            raise BadRequest("Send this again without the Upgrade header.")
        body = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the caller closes it
        try:
            await self._fill(body, receive)
        except BaseException:
            body.close()
            raise
        return body

    async def _fill(self, body: IO[bytes], receive: Receive) -> None:
        size, more = 0, True
        try:
            async with asyncio.timeout(self._body_timeout):
                while more:
                    data, more = await _next_part(receive)
                    size += len(data)
                    if size > self._max_body:
                        raise TooLarge
                    body.write(data)
        except TimeoutError:
            raise TooSlow from None
        except OSError as error:
            log.error("no room for a request's body", exc_info=error)
            raise Unavailable("There is no room for this just now. Please try again in a while.") from None


async def _pass_on(call: Call, lane: Lane, receive: Receive, send: Send) -> None:
    _refuse_beyond(lane)
    try:
        data, more = await _begin(call, lane)
        await send({"type": "http.response.start", "status": call.status, "headers": call.headers})
        await send({"type": "http.response.body", "body": data, "more_body": more})
        if more:
            await _stream(call, lane, receive, send)
    finally:
        if not call.over:
            await lane.run(call.close)


def _refuse_beyond(lane: Lane) -> None:
    if lane.full:
        raise Unavailable("Too many requests are waiting. Please try again in a moment.")


async def _give(ready: Ready, send: Send) -> None:
    await send({"type": "http.response.start", "status": ready.status, "headers": ready.headers})
    await send({"type": "http.response.body", "body": ready.body})


async def _begin(call: Call, lane: Lane) -> tuple[bytes, bool]:
    try:
        return await lane.run(call.step)
    except Exception as error:
        log.error("unexpected %s", type(error).__name__, exc_info=error)
        raise Broken from None


async def _stream(call: Call, lane: Lane, receive: Receive, send: Send) -> None:
    """Fetch and send in turn: while the client takes its time with a block, no thread waits for it."""
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        more = True
        while more and not gone.done():
            data, more = await lane.run(call.step)
            await send({"type": "http.response.body", "body": data, "more_body": more})
    finally:
        gone.cancel()


async def _next_part(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), message.get("more_body", False)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(problem: Problem, scope: Message, send: Send, *, last: bool = True) -> None:
    _REFUSED.labels(str(problem.status)).inc()
    document = json.dumps(problem.body() | {"instance": scope["path"]}).encode()
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(document)),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    } | problem.headers
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": encoded})
    await send({"type": "http.response.body", "body": document, "more_body": not last})


async def _refuse_unread(problem: Problem, scope: Message, receive: Receive, send: Send) -> None:
    """Refuse before the body is complete, and close. Closing at once would reset the answer on its way."""
    problem.headers["Connection"] = "close"
    await _refuse(problem, scope, send, last=False)
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            await _until_gone(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})
