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
    try:
        family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
        socket.create_server((chosen.host, chosen.port), family=family).close()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        told = f"Cannot listen at {chosen.host}:{chosen.port}: {why}. GREENROOM_PORT chooses another port."
        raise Refusal(told, CONFIG) from error


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
