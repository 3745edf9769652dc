"""Rate limits: how often somebody asks, and what the answer tells about it. The store is flask-limiter's."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from math import ceil, floor
from threading import Lock
from typing import Any, NamedTuple

from flask import Flask, Response, current_app, g
from flask_limiter import Limiter
from limits import RateLimitItem, parse_many
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage
from limits.strategies import RateLimiter, SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from service import metrics
from service.config import BadSetting, Settings, variable
from service.db import now
from service.errors import TooManyRequests

log = logging.getLogger(__name__)

_AWAY = 1.0
"""Seconds until a store that is away is looked for again."""

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

    windows: str
    scope: str
    key: str
    is_told: bool = True
    """Whether the client hears what is left: to look takes as long as to count."""


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
    """What flask-limiter is set up with, its store and its way to count, asked directly.

    Its decorators fix a limit to a route; ours also depend on the site, the page and the body. While the store is
    away, calls are counted in memory, and one of them looks for the store again every second.
    """

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.limiter = Limiter(
            key_func=str,
            storage_uri=settings.redis_url or "process://",
            storage_options=_IMPATIENT if settings.redis_url else {},
            strategy="sliding-window-counter",
            headers_enabled=False,
            enabled=settings.limits_enabled,
        )
        # It is in its list before it is set up, and so has nothing done at every request: no route is decorated.
        app.extensions["limiter"] = {self.limiter}
        self.limiter.init_app(app)
        self._memory = SlidingWindowCounterRateLimiter(_Memory())
        self._away_since: float | None = None

    def count(self, asked: _Asked) -> tuple[bool, list[_Window]]:
        """Deduct one everywhere. False when a window is used up; the windows that were looked at, if they are told."""
        if not self.limiter.enabled:
            return True, []
        held, seen = self._counted(asked)
        if not held:
            _REFUSED.labels(asked.scope).inc()
        return held, seen

    def _counted(self, asked: _Asked) -> tuple[bool, list[_Window]]:
        since, moment = self._away_since, now().timestamp()
        if since is not None:
            if abs(moment - since) < _AWAY:  # the clock may have been put back
                return _deduct(self._memory, asked)
            self._away_since = moment  # one looks, and the others go on
        try:
            told = _deduct(self.limiter.limiter, asked)
        except StorageError:
            self._away_since = now().timestamp()
            if since is None:
                log.warning("the store of the limits is away: they are counted in memory")
            return _deduct(self._memory, asked)
        self._away_since = None
        return told

    def forget(self, asked: _Asked) -> None:
        """Give back what was counted, in memory, too: of the store it may be out of reach."""
        if self.limiter.enabled:
            for by in (self._memory, self.limiter.limiter):
                for window in _windows(asked.windows):
                    by.clear(window, asked.key, asked.scope)


def _deduct(by: RateLimiter, asked: _Asked) -> tuple[bool, list[_Window]]:
    """The shortest window first. Once one is used up, the others are left as they are."""
    for number, window in enumerate(_windows(asked.windows), 1):
        if not by.hit(window, asked.key, asked.scope):
            return False, _seen(by, asked, number, used_up=True)
    return True, _seen(by, asked, number, used_up=False)


def _seen(by: RateLimiter, asked: _Asked, number: int, *, used_up: bool) -> list[_Window]:
    """What the first windows hold now, if it is told; the last of them may be used up."""
    found = list[_Window]()
    if not asked.is_told:
        return found
    with suppress(StorageError):  # the store may go away between counting and telling
        for window in _windows(asked.windows)[:number]:
            left, length = by.get_window_stats(window, asked.key, asked.scope), window.get_expiry()
            name = f"{asked.scope}-{length}" if found else asked.scope
            reset = max(1, ceil(left.reset_time - now().timestamp()))
            found.append(_Window(name, window.amount, length, max(0, left.remaining), reset))
        if used_up:
            found[-1] = replace(found[-1], remaining=0)
    return found


@lru_cache(maxsize=1_000)
def _windows(text: str) -> list[RateLimitItem]:
    return sorted(parse_many(text))


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
    return _counter().count(_Asked(windows, scope, key, is_told=False))[0]


def store_answers() -> bool:
    """Whether what counts is reachable; memory always is. Ask only where limits are switched on."""
    return bool(_counter().limiter.storage.check())


def forget(windows: str, scope: str, key: str) -> None:
    """Give everything back that was spent on this key."""
    with suppress(StorageError):  # what it remembers is over before long
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
