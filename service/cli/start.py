"""What must hold before a command begins: keys and a database that fit, and for a server where it is reached."""

from __future__ import annotations

import os
import socket  # noqa: TID251 - looks whether a port is free, and sends nothing
from collections.abc import Callable, Iterable
from functools import wraps
from ipaddress import ip_address
from typing import Any

import click

from service import health
from service.cli.printing import CONFIG, UNAVAILABLE, Refusal
from service.config import Settings

_AT_ONCE = ("migrate", "doctor", "keys create", "demo", "serve", "worker", "listen")
"""Commands that bring keys and database in order, or tell what is not; the last three look by `preflight`."""

_LAST_PORT = 65_535


def fit_first(command: click.Command, path: str) -> None:
    """Let a command, or each one of a group, look whether keys and database fit before it does anything."""
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            fit_first(one, f"{path} {name}")
    elif path not in _AT_ONCE:
        assert command.callback
        command.callback = _looking(command.callback)


def _looking(work: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(work)
    def look_and_work(*args: Any, **more: Any) -> Any:
        refuse_unfit(health.findings())
        return work(*args, **more)

    return look_and_work


def refuse_unfit(found: Iterable[health.Finding]) -> None:
    """Refuse with a sentence: 69 when the database is away, 78 for anything else that is not in order."""
    for one in found:
        if not one.ok:
            raise Refusal(one.detail, UNAVAILABLE if one.away else CONFIG)


def preflight(chosen: Settings, host: str) -> None:
    """Refuse to serve unless everything is in order. Unlike other commands it looks at a SQLite file as a whole."""
    if not _loopback(host) and "127.0.0.1" in chosen.public_url:
        raise Refusal("GREENROOM_PUBLIC_URL is needed when listening off loopback.", CONFIG)
    refuse_unfit([address(chosen), *health.findings(), health.file()])


def address(chosen: Settings) -> health.Finding:
    """In production browsers come by https: sessions and tokens travel on it."""
    if chosen.production and not chosen.public_url.startswith("https://"):
        return health.Finding("address", False, "GREENROOM_PUBLIC_URL must begin with https:// in production.")
    return health.Finding("address", True, chosen.public_url)


def refuse_taken(chosen: Settings) -> None:
    """Refuse to start where nobody can listen, before anybody is told to look there."""
    _refuse_taken(chosen.host, chosen.port, "GREENROOM_PORT")


def refuse_metrics_taken(chosen: Settings, processes: int) -> None:
    """The same for the ports at which so many processes tell their numbers, if they do."""
    ports = range(chosen.metrics_port, chosen.metrics_port + processes) if chosen.metrics_port else ()
    if chosen.port in ports or _LAST_PORT + 1 in ports:
        raise Refusal(
            "GREENROOM_METRICS_PORT, or one that follows it, is GREENROOM_PORT or no port. Choose another.", CONFIG
        )
    for port in ports:
        _refuse_taken(chosen.metrics_host, port, "GREENROOM_METRICS_PORT")


def _refuse_taken(host: str, port: int, setting: str) -> None:
    try:
        _listening(host, port).close()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise Refusal(f"Cannot listen at {host}:{port}: {why}. {setting} chooses another port.", CONFIG) from error


def metrics_option(chosen: Settings, n: int) -> tuple[str, ...]:
    """What tells the n-th child where it tells its numbers."""
    return ("--metrics-port", str(chosen.metrics_port + n)) if chosen.metrics_port else ()


def listening(chosen: Settings) -> socket.socket:
    """A socket that takes connections where the settings say. OSError where nobody can."""
    return _listening(chosen.host, chosen.port)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=512)


def opened(fd: int) -> socket.socket:
    """A socket that another process of ours has opened."""
    return socket.socket(fileno=fd)


def refuse_without_counter(chosen: Settings) -> None:
    """Refuse several web processes that would each count limits for themselves."""
    if chosen.limits_enabled and not chosen.redis_url:
        told = "Several web processes need GREENROOM_REDIS_URL: each would count limits for itself."
        raise Refusal(told, CONFIG)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
