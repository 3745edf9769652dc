"""Times and numbers as sentences hold them."""

from __future__ import annotations

from datetime import datetime

from service.sites.terms import several


def moment(timestamp: str) -> str:
    """A timestamp of the API as people read it, in UTC."""
    return f"{datetime.fromisoformat(timestamp):%-d %B %Y, %H:%M} UTC"


def wait(seconds: str) -> str:
    """`Retry-After` as people read it."""
    count = int(seconds)
    return several(count, "second", "seconds") if count < 120 else several(-(-count // 60), "minute", "minutes")
