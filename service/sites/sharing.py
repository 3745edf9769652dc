"""Which answers are the same for everybody, and of what they are made: they can be kept until that changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from flask import Response, g, request

from service.db import now
from service.doors import conditional, settings
from service.readcache import NOTE, Hole, Shared, page_key, site_key, sites_pages_key
from service.sites.origins import for_origin, this_site


def made_of(page_id: UUID, closes_at: datetime | None = None) -> None:
    """Note a page that an answer tells of, and when it closes if the answer says whether it is open."""
    g.setdefault("made_of", {})[page_id] = closes_at


def made_of_any_page() -> None:
    """Note that an answer may tell of whatever page of the site."""
    g.made_of_any_page = True


def shared(response: Response, *, hole: Hole | None = None, until: datetime | None = None) -> Response:
    """A public answer of this site with its ETag, to be kept for everybody, but for what is in a `hole`; and `until`?

    Of no page, it is made anew each time: who asks for what is not there must fill nothing.
    """
    site, pages, any_page = this_site(), g.get("made_of", {}), g.get("made_of_any_page", False)
    if not pages and not any_page:
        return conditional(response)
    keys = frozenset({site_key(site.id), *map(page_key, pages)} | ({sites_pages_key(site.id)} if any_page else set()))
    until = min((one for one in (*pages.values(), until) if one and one > now()), default=None)
    in_front, until = (0, until) if hole else _in_front(until)
    request.environ[NOTE] = Shared(keys, partial(for_origin, tuple(g.origins)), until, hole)
    response = conditional(response)
    if in_front:
        # Not `no-cache`, which means caches in front, too (RFC 9111, 5.2.2.4). To browsers this is the same.
        response.headers["Cache-Control"] = f"max-age=0, must-revalidate, s-maxage={in_front}"
        response.headers["Surrogate-Key"] = " ".join(sorted(keys))
    return response


def _in_front(until: datetime | None) -> tuple[int, datetime | None]:
    """Seconds that a cache in front may keep an answer that is good `until` then; until when it may be told so.

    None where nobody would tell it what has changed, nor of an answer to somebody who says who they are.
    """
    if not settings().purge_url or request.headers.get("Authorization") or request.headers.get("Cookie"):
        return 0, until
    seconds = settings().shared_max_age
    if until is None:
        return seconds, None
    last = until - timedelta(seconds=seconds)
    return (seconds, last) if last > now() else (0, until)
