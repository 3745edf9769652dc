"""The form's time token: says, signed, when a form was drawn, and nothing about who."""

from __future__ import annotations

from collections.abc import Callable

from itsdangerous import BadData, URLSafeTimedSerializer

from service.db import now
from service.privacy.seal import keys
from service.sites.models import Site


def issue(site: Site) -> str:
    """A token for a form drawn now."""
    return _serializer(site).dumps(None)


def issuer(site: Site) -> Callable[[], str]:
    """What makes tokens as `issue` does, anywhere: it needs no app, and no database."""
    made = _serializer(site)
    return lambda: made.dumps(None)


def age(site: Site, token: str | None, *, max_hours: float) -> float | None:
    """Seconds since the token's form was drawn; None when it is missing, forged, another site's or too old."""
    if not token:
        return None
    try:
        _, drawn = _serializer(site).loads(token, max_age=int(max_hours * 3600), return_timestamp=True)
    except BadData:
        return None
    seconds: float = (now() - drawn).total_seconds()
    return max(0.0, seconds)


def _serializer(site: Site) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(keys().secret, salt=f"form:{site.key}")
