"""Which web pages may read and post: exact origins per site, no cookies, no wildcard."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Response, current_app, g, request

from service.errors import NotFound, OriginNotAllowed
from service.sites import queries
from service.sites.addresses import origin_of
from service.sites.models import Site
from service.sites.schemas import KEY

_EXPOSED = ("ETag", "Idempotency-Replayed", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id")
_ASKED = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match")
_ALWAYS = {"HEAD", "OPTIONS"}


def find_site(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Before each request of a public door: the site of its path. NotFound when there is none.

    Before all that may refuse, so that every refusal can name the allowed origin too.
    """
    key = (values or {}).get("site", "")
    g.site = queries.site_of(key) if KEY.fullmatch(key) else None
    if g.site is None:
        raise NotFound("There is no site by that name.")
    # Noted now: after the answer the row may be expired and the database away.
    g.origins = list(g.site.origins)


def this_site() -> Site:
    site: Site = g.site
    return site


def own_origin() -> str:
    return origin_of(current_app.config["PUBLIC_URL"])


def check_poster(site: Site, *, null_allowed: bool = False) -> bool:
    """Refuse a foreign Origin (403). Absent or own is fine; `null` only where it is allowed; whether it is `null`."""
    origin = request.headers.get("Origin")
    if origin is None or origin == own_origin() or origin in site.origins:
        return False
    if origin == "null" and null_allowed:
        return True
    raise OriginNotAllowed()


def for_origin(origins: Collection[str], origin: str | None) -> dict[str, str]:
    """What tells a page of an origin that it may read; nothing where the site does not list it."""
    if not origin or origin not in origins:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": ", ".join(_EXPOSED)}


def allow_origin(response: Response) -> Response:
    """Name the asking origin when the site lists it; say on every answer that it depends on the Origin."""
    response.vary.add("Origin")
    told = for_origin(g.get("origins", ()), request.headers.get("Origin"))
    if told:
        response.headers.update(told)
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(set(response.allow) - _ALWAYS))
            response.headers["Access-Control-Allow-Headers"] = ", ".join(_ASKED)
            response.headers["Access-Control-Max-Age"] = "600"
    return response
