"""Every door of the app with one request that it takes. A rule of the URL map that is absent fails the tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FORM = "application/x-www-form-urlencoded"
DEVICE = "device-canary-0123456789"
"""What tells one reader's device from others."""


@dataclass(frozen=True)
class Door:
    """One method of one rule. `{names}` in path and bodies stand for what a `Place` holds."""

    method: str
    rule: str
    path: str
    json: Any = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    accept: str = "*/*"
    """What a client of this door asks for; some tests ask for more."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def is_public(self) -> bool:
        """Read by pages of other origins, so CORS is its matter."""
        return self.rule.startswith(("/v1/sites/", "/embed/"))

    @property
    def is_guarded(self) -> bool:
        api = self.rule.startswith("/v1/") and not self.is_public
        return api or (self.rule.startswith("/desk/") and not self.rule.startswith(_OPEN_AT_THE_DESK))

    @property
    def is_desk(self) -> bool:
        return self.rule.startswith("/desk/")

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")


_OPEN_AT_THE_DESK = ("/desk/sign-", "/desk/static/")
_SAID = {"name": "Ada", "email": "{email}", "body": "A new word about {page}: {unique}"}
_ANY_VERSION = {"If-Match": "*"}

DOORS = [
    Door("GET", "/", "/"),
    Door("GET", "/healthz", "/healthz"),
    Door("GET", "/readyz", "/readyz"),
    Door("GET", "/openapi.json", "/openapi.json"),
    Door("GET", "/docs", "/docs"),
    Door("GET", "/docs/reference.js", "/docs/reference.js"),
    Door("GET", "/docs/assets/<name>", "/docs/assets/swagger-ui.css"),
    Door("GET", "/style/<digest>/<name>", "{style}"),
    # Anybody, from the pages of a site.
    Door("GET", "/v1/sites/<site>/thread", "/v1/sites/{site}/thread?page={page}"),
    Door("POST", "/v1/sites/<site>/comments", "/v1/sites/{site}/comments", json={"page": "{page}"} | _SAID),
    Door("GET", "/v1/sites/<site>/comments/<uuid:comment_id>", "/v1/sites/{site}/comments/{approved}"),
    Door(
        "POST", "/v1/sites/<site>/comments/<uuid:comment_id>/vote", "/v1/sites/{site}/comments/{approved}/vote",
        json={"device": DEVICE},
    ),
    Door(
        "POST", "/v1/sites/<site>/comments/<uuid:comment_id>/report", "/v1/sites/{site}/comments/{approved}/report",
        json={"device": DEVICE, "reason": "spam", "note": "Somebody sells {unique}."},
    ),
    Door("GET", "/v1/sites/<site>/counts", "/v1/sites/{site}/counts?page={page}&page=/other"),
    Door("POST", "/v1/sites/<site>/counts", "/v1/sites/{site}/counts", json={"pages": ["{page}", "/other"]}),
    Door("GET", "/v1/sites/<site>/latest", "/v1/sites/{site}/latest?limit=3"),
    Door("GET", "/v1/sites/<site>/feed.atom", "/v1/sites/{site}/feed.atom?page={page}"),
    Door("POST", "/v1/sites/<site>/preview", "/v1/sites/{site}/preview", json={"body": "*So* it would look."}),
    Door("GET", "/embed/<site>", "/embed/{site}?page={page}"),
    Door("GET", "/embed/<site>/form", "/embed/{site}/form?page={page}&reply={approved}"),
    Door("POST", "/embed/<site>/comments", "/embed/{site}/comments", form={"page": "{page}"} | _SAID),
    # Moderators.
    Door("GET", "/v1/sites", "/v1/sites"),
    Door("GET", "/v1/pages", "/v1/pages?site={site}"),
    Door("POST", "/v1/pages", "/v1/pages", json={"site": "{site}", "page": "/opened/{unique}", "title": "Opened"}),
    Door("PATCH", "/v1/pages/<uuid:page_id>", "/v1/pages/{page_id}", json={"title": "{unique}", "closed": False}),
    Door(
        "POST", "/v1/pages/<uuid:page_id>/aliases", "/v1/pages/{page_id}/aliases", json={"page": "/alias/{unique}"}
    ),
    Door("GET", "/v1/audit", "/v1/audit?site={site}"),
    Door("GET", "/v1/events", "/v1/events?site={site}"),
    Door("GET", "/v1/moderation/comments", "/v1/moderation/comments?site={site}&limit=3"),
    Door("GET", "/v1/moderation/comments/<uuid:comment_id>", "/v1/moderation/comments/{pending}"),
    Door(
        "PATCH", "/v1/moderation/comments/<uuid:comment_id>", "/v1/moderation/comments/{approved}",
        json={"body": "Said otherwise: {unique}"}, headers=_ANY_VERSION,
    ),
    Door(
        "POST", "/v1/moderation/comments/<uuid:comment_id>/reveal", "/v1/moderation/comments/{pending}/reveal"
    ),
    Door(
        "POST", "/v1/moderation/comments/<uuid:comment_id>/decision", "/v1/moderation/comments/{fresh}/decision",
        json={"decision": "approve", "reason": "It is {unique}."},
    ),
    Door(
        "POST", "/v1/moderation/decisions", "/v1/moderation/decisions",
        json={"decision": "reject", "filter": {"site": "{site}", "page": "/no/such/page"}, "count": 0},
    ),
    Door("GET", "/v1/moderation/decisions/<uuid:bulk_id>", "/v1/moderation/decisions/{bulk}"),
    Door("GET", "/v1/moderation/stats", "/v1/moderation/stats"),
    # The desk.
    Door("GET", "/desk/", "/desk/?site={site}", accept="text/html"),
    Door("GET", "/desk/<path:elsewhere>", "/desk/else/where", accept="text/html"),
    Door("GET", "/desk/comments/<uuid:comment_id>", "/desk/comments/{pending}", accept="text/html"),
    Door(
        "POST", "/desk/comments/<uuid:comment_id>", "/desk/comments/{approved}", accept="text/html",
        form={"body": "Said at the desk: {unique}", "seen": "*"},
    ),
    Door(
        "POST", "/desk/comments/<uuid:comment_id>/decision", "/desk/comments/{fresh}/decision", accept="text/html",
        form={"decision": "approve"},
    ),
    Door(
        "POST", "/desk/comments/<uuid:comment_id>/reveal", "/desk/comments/{pending}/reveal", accept="text/html",
        form={},
    ),
    Door("GET", "/desk/sign-in", "/desk/sign-in", accept="text/html"),
    Door("POST", "/desk/sign-in", "/desk/sign-in", accept="text/html", form={"email": "{typed}", "password": "x"}),
    Door("POST", "/desk/sign-out", "/desk/sign-out", accept="text/html", form={}),
    Door("GET", "/desk/static/<path:filename>", "/desk/static/desk.css"),
]  # fmt: skip
