"""Times and numbers as sentences hold them."""

from __future__ import annotations

from datetime import datetime


def moment(timestamp: str) -> str:
    """A timestamp of the API as people read it, in UTC."""
    return f"{datetime.fromisoformat(timestamp):%-d %B %Y, %H:%M} UTC"


def several(count: int, one: str, many: str) -> str:
    """`1 comment`, `2 comments`, `1,200 comments`."""
    return f"{count:,} {one if count == 1 else many}"


def privacy(days: int) -> str:
    """The line about privacy for a site that has none of its own; all of it is so on every site."""
    kept = "Your email address, encrypted, and a code for your network are kept for moderators only"
    told = f"{kept}, and forgotten after {several(days, 'day', 'days')}."
    return f"What you write may be published, with your name and website. {told}"


def wait(seconds: str) -> str:
    """`Retry-After` as people read it."""
    count = int(seconds)
    return several(count, "second", "seconds") if count < 120 else several(-(-count // 60), "minute", "minutes")
