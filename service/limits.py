"""Rate limits: who is asking, how often, and what the answer tells about it. flask-limiter counts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from math import ceil, floor
from threading import Lock
from typing import Any, NamedTuple

from flask import Flask, Request, Response, current_app, g
from flask_limiter import Limiter, RateLimitExceeded
from limits import parse_many
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from service import metrics
from service.config import BadSetting, Settings, variable
from service.db import now
from service.errors import TooManyRequests

UNKNOWN = "0.0.0.0"  # noqa: S104 - nobody has this address, and nothing listens here
"""The client's address when the server does not tell one (a Unix socket)."""

_MANY = 1_000
"""Keys in memory that are not worth looking through for old ones."""

_MOST, _LONGEST = 1_000_000, 366 * 24 * 3_600
"""Calls in a window, and the seconds of one, at most."""
_REFUSED = metrics.counter("greenroom_limit_refusals", "Calls beyond a limit, by which one.", "limit")

# A store that is away must not hold requests up: they are counted in memory meanwhile.
_IMPATIENT: dict[str, Any] = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5,
    "retry": Retry(NoBackoff(), 0),
    "wrap_exceptions": True,
}


@dataclass(frozen=True)
class _Asked:
    """What is to be counted now: against which windows, in which scope, for whom."""

    windows: str = ""
    scope: str = ""
    key: str = ""


@dataclass(frozen=True)
class _Window:
    """One window after counting, as the headers tell it. Times in seconds."""

    name: str
    quota: int
    length: int
    remaining: int
    reset: int


class _Counted(NamedTuple):
    """What was counted under one key: in which window since the epoch, in the one before, and when both are over."""

    window: int = 0
    before: int = 0
    current: int = 0
    over: float = 0.0


class _Memory(MemoryStorage):
    """Sliding windows in this process, counted by one thread at a time.

    In limits' own memory, threads that come at once with a new key lose count of each other, and every call has
    all keys looked through for those that are over.
    """

    STORAGE_SCHEME = ["process"]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._turn = Lock()
        self._counted: dict[str, _Counted] = {}
        self._sweep_at = _MANY

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        with self._turn:
            found, into = self._look(key, expiry)
            if floor(found.before * (1 - into) + found.current) + amount > limit:
                return False
            self._counted[key] = found._replace(current=found.current + amount)
            self._sweep()
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        with self._turn:
            found, into = self._look(key, expiry)
        left = (1 - into) * expiry
        return found.before, left if found.before else 0.0, found.current, left + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        with self._turn:
            self._counted.pop(key, None)

    def reset(self) -> int:
        with self._turn:
            forgotten = len(self._counted)
            self._counted.clear()
        return forgotten

    def _look(self, key: str, expiry: int) -> tuple[_Counted, float]:
        """What was counted, as the present window sees it, and how much of that is past: from 0 to 1."""
        window, into = divmod(now().timestamp() / expiry, 1)
        found = self._counted.get(key, _Counted())
        if found.window != window:
            before = found.current if found.window == window - 1 else 0
            found = _Counted(int(window), before, 0, (window + 2) * expiry)
        return found, into

    def _sweep(self) -> None:
        """Forget what is over, whenever there is twice as much as was left the last time."""
        if len(self._counted) >= self._sweep_at:
            moment = now().timestamp()
            self._counted = {key: one for key, one in self._counted.items() if one.over > moment}
            self._sweep_at = max(_MANY, 2 * len(self._counted))


class _Counter:
    """flask-limiter, told at each call what to count.

    Its limits are fixed to a route when it is decorated; ours also depend on the site, the page and the
    body. So one empty function is decorated, and its windows, scope and key are read from the request when
    it is called. That way flask-limiter's own care for a lost store applies: counting goes on in memory, and
    returns to the store when it is back.
    """

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.limiter = Limiter(
            key_func=lambda: _asked().key,
            storage_uri=settings.redis_url or "process://",
            storage_options=_IMPATIENT if settings.redis_url else {},
            strategy="sliding-window-counter",
            in_memory_fallback_enabled=True,
            headers_enabled=False,
            enabled=settings.limits_enabled,
        )
        self.limiter.init_app(app)
        self.limiter._fallback_limiter = SlidingWindowCounterRateLimiter(_Memory())
        limit = self.limiter.shared_limit(lambda: _asked().windows, scope=lambda _endpoint: _asked().scope)
        self._touch = limit(_touch)

    def count(self, asked: _Asked) -> tuple[bool, list[_Window]]:
        """Deduct one everywhere. False when a window is used up; the windows that were looked at."""
        if not self.limiter.enabled:
            return True, []
        g.rate_asked = asked
        try:
            held = self._held()
        finally:
            del g.rate_asked
        if not held:
            _REFUSED.labels(asked.scope).inc()
        return held, self._windows(asked.scope)

    def _held(self) -> bool:
        with suppress(RateLimitExceeded):
            try:
                self._touch()
            except StorageError:
                # Several threads found the store gone; flask-limiter turns to memory for the first one alone.
                self._touch()
            return True
        return False

    def _windows(self, scope: str) -> list[_Window]:
        found: list[_Window] = []
        with suppress(StorageError):  # the store may go away between counting and telling
            for seen in self.limiter.current_limits:
                length = seen.limit.get_expiry()
                name = f"{scope}-{length}" if found else scope
                reset = max(1, ceil(seen.window.reset_time - now().timestamp()))
                remaining = 0 if seen.breached else max(0, seen.remaining)
                found.append(_Window(name, seen.limit.amount, length, remaining, reset))
        return found

    def forget(self, asked: _Asked) -> None:
        if self.limiter.enabled:
            for window in parse_many(asked.windows):
                self.limiter.limiter.clear(window, asked.key, asked.scope)


def _touch() -> None:
    """What flask-limiter counts the calls of."""


def _asked() -> _Asked:
    found: _Asked = g.get("rate_asked", _Asked())
    return found


def init_app(app: Flask, settings: Settings) -> None:
    """Count in memory, or in the store at `redis_url`. BadSetting when a limit or the URL cannot be read."""
    for one in fields(settings):
        if one.name.startswith("limit_"):
            _check(variable(one), getattr(settings, one.name))
    try:
        app.extensions["greenroom_limits"] = _Counter(app, settings)
    except (ConfigurationError, ValueError) as error:
        raise BadSetting("GREENROOM_REDIS_URL must look like redis://host:6379/0.") from error
    app.after_request(_tell)


def _check(name: str, windows: str) -> None:
    if not can_be_counted(windows):
        raise BadSetting(f"{name}: write limits like 6/minute;60/hour.")


def can_be_counted(windows: str) -> bool:
    """Whether these are limits: each lets somebody through, and is over after a year at most."""
    try:
        return all(0 < one.amount <= _MOST and one.get_expiry() <= _LONGEST for one in parse_many(windows))
    except ValueError:
        return False


def _counter() -> _Counter:
    found: _Counter = current_app.extensions["greenroom_limits"]
    return found


def spend(windows: str, scope: str, key: str) -> None:
    """Count one call and tell the client how many are left. TooManyRequests (429) when there are none.

    `windows`: as in the settings, `6/minute;60/hour`. `scope`: what is limited, a name that clients see.
    `key`: who, something that says nothing to whoever reads the store (see `privacy.seal`).
    """
    held, windows_seen = _counter().count(_Asked(windows, scope, key))
    g.rate_windows = [*g.get("rate_windows", []), *windows_seen]
    if not held:
        wait = max((window.reset for window in windows_seen if not window.remaining), default=1)
        raise TooManyRequests(headers={"Retry-After": str(wait)})


def within(windows: str, scope: str, key: str) -> bool:
    """Count one call, and say nothing to the client. False when it is one too many."""
    return _counter().count(_Asked(windows, scope, key))[0]


def store_answers() -> bool:
    """Whether what counts is reachable; memory always is. Ask only where limits are switched on."""
    return bool(_counter().limiter.storage.check())


def forget(windows: str, scope: str, key: str) -> None:
    """Give everything back that was spent on this key."""
    with suppress(StorageError):  # nothing to give back where nothing is remembered
        _counter().forget(_Asked(windows, scope, key))


def _tell(response: Response) -> Response:
    """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10) after limited calls."""
    told: list[_Window] = g.pop("rate_windows", [])
    if told:
        policy = (f'"{one.name}";q={one.quota};w={one.length}' for one in told)
        left = (f'"{one.name}";r={one.remaining};t={one.reset}' for one in told)
        response.headers["RateLimit-Policy"] = ", ".join(policy)
        response.headers["RateLimit"] = ", ".join(left)
    return response


def client_ip(request: Request, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The client's address: the peer, or, behind proxies of ours, the last hop that is none of ours.

    As long as a hop is in `trusted`, what it appended to X-Forwarded-For is believed: the list is read from
    the right. Forwarded (RFC 7239), X-Real-IP and the like are never read: a proxy passes on what the client
    wrote there. A list that cannot be read counts as the peer itself. IPv4 inside IPv6 becomes IPv4; ports
    and zones are dropped.
    """
    peer = _address(request.remote_addr or "")
    hop, before = peer, request.headers.get("X-Forwarded-For", "").split(",")
    while hop and before and any(hop in network for network in trusted):
        hop = _address(before.pop())
    return str(hop or peer or UNKNOWN)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip
