"""Ask the public address, as a browser would: is it we who answer, and what time is it there?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime

import urllib3  # noqa: TID251 - an operator has this ask their own address, by a command

from service.config import Settings
from service.db import now
from service.doctor.checks import apart
from service.health import Finding

_PATIENCE = 10.0
_TOLD_IN = timedelta(seconds=0.5)
"""A Date tells whole seconds: on average it is so much later."""


def public_address(chosen: Settings) -> Iterator[Finding]:
    """GET /healthz by way of whatever stands before us. No redirect is followed: a browser's path has none."""
    url = f"{chosen.public_url}/healthz"
    before = now()
    try:
        answer = urllib3.request("GET", url, timeout=_PATIENCE, retries=False, redirect=False)
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        told = f"{url} cannot be reached from here ({type(error).__name__}). Look at name, proxy and certificate."
        yield Finding("public address", False, told)
        return
    after = now()
    document = None
    with suppress(ValueError):
        document = json.loads(answer.data)
    if answer.status != 200 or document != {"status": "up"}:
        told = f"{url} answered {answer.status}, and not as Greenroom does. Look where GREENROOM_PUBLIC_URL leads."
        yield Finding("public address", False, told)
        return
    yield Finding("public address", True, f"{url} is answered by Greenroom.")
    with suppress(TypeError, ValueError):
        there = parsedate_to_datetime(answer.headers["Date"]) + _TOLD_IN
        ahead = there - before - (after - before) / 2
        yield apart("clock there", "The clock of the public address", ahead.total_seconds())
