"""JSON lines with a request id, and without anything private."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from ipaddress import IPv6Address
from typing import Any

import structlog

_ADDRESS = re.compile(r"[^\s\"'<>()\[\]{}:;,=@]+@[^\s\"'<>()\[\]{}:;,@]+\.[^\s\"'<>()\[\]{}:;,@]+")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_COLONS = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*[0-9A-Fa-f:]")  # an IPv6 address, or a time
_TOKEN = re.compile(r"\b(gr[ma]_|whsec_)[\w-]+")
_WRITTEN_BY_US = {"timestamp", "level"}
_TOO_FRANK = ("alembic", "flask-limiter", "sqlalchemy")
"""Below WARNING they tell of each step: keys of limits, which stand for addresses, and rows as they are stored."""


def redact(text: str) -> str:
    """Take e-mail addresses, IPs and tokens out of a text, whatever else it says."""
    text = _TOKEN.sub(r"\1…", _ADDRESS.sub("[email]", text))
    return _IPV4.sub("[ip]", _COLONS.sub(_unless_a_time, text))


def _unless_a_time(found: re.Match[str]) -> str:
    try:
        IPv6Address(found[0])
    except ValueError:
        return found[0]
    return "[ip]"


def _redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if key not in _WRITTEN_BY_US and not isinstance(value, int | float | bool | None):
            event[key] = redact(str(value))
    return event


def _without_locals(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception as its type and its lines of code: messages of drivers quote the values they choked on."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = type(error).__name__
        event["where"] = _frames(error)
    return event


def _frames(error: BaseException) -> str:
    lines: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        lines.append(f"{code.co_filename.rsplit('/', 2)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return " < ".join(reversed(lines[-12:]))


def configure(level: str) -> None:
    """Send every logger's records through one redacting JSON formatter to stderr."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        _without_locals,
        _redact_event,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _TOO_FRANK:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
