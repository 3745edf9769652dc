"""Every door of the app with one request that it takes. A rule of the URL map that is absent fails the tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from service.embed.widget import release

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
        return self.rule not in _OF_OWNERS and self.rule.startswith(("/v1/sites/", "/v1/mine", "/embed/"))

    @property
    def is_file(self) -> bool:
        """The same for everybody, and any page may load it."""
        return self.rule.startswith("/widget")

    @property
    def is_guarded(self) -> bool:
        api = self.rule.startswith("/v1/") and not self.is_public
        return api or (self.rule.startswith("/desk/") and not self.rule.startswith(_OPEN_AT_THE_DESK))

    @property
    def is_desk(self) -> bool:
        return self.rule.startswith("/desk/")

    @property
    def wants_change(self) -> bool:
        """Whether it is about an author's change that waits, which has to be asked for first."""
        return "{held}" in f"{self.json}{self.form}"

    @property
    def undoes(self) -> bool:
        """Whether it is about a decision that can be undone, which has to be made first."""
        return "{decision}" in f"{self.path}{self.form}"

    def settled(self) -> Door:
        """The door about what is there already: nothing new is made for a request of which nothing comes."""
        if self.undoes:
            return self.undoing("{rejected}", "{decided}")
        path = self.path.replace("{fresh}", "{pending}").replace("{kept}", "{filter}").replace("{new_rule}", "{rule}")
        path = (
            path.replace("{new_endpoint}", "{endpoint}")
            .replace("{published}", "{approved}")
            .replace("{newcomer}", "{member}")
        )
        return replace(self, path=path).deciding_on(NO_CHANGE)

    def undoing(self, comment: str, decision: str) -> Door:
        """The door about one decision on a comment."""
        path, form = self.path.replace("{fresh}", comment).replace("{decision}", decision), self.form
        return replace(self, path=path, form={**form, "undoes": decision} if form and "undoes" in form else form)

    def deciding_on(self, change: str) -> Door:
        """The door about one change of a text."""
        if not self.wants_change:
            return self
        json, form = ({**told, "revision": change} if told is not None else None for told in (self.json, self.form))
        return replace(self, json=json, form=form)

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")


NO_CHANGE = "0190f0f0-0000-7000-8000-000000000001"
"""The id of a change that nobody asked for."""
_OF_OWNERS = ("/v1/sites/<site>", "/v1/sites/<site>/policy-preview", "/v1/sites/<site>/reasons")
"""Below the public doors of a site, and for its people alone."""
_OPEN_AT_THE_DESK = ("/desk/sign-", "/desk/static/")
_SAID = {"name": "Ada", "email": "{email}", "body": "A new word about {page}: {unique}"}
_AS_AUTHOR = {"Authorization": "Author {author}"}
_ANY_VERSION = {"If-Match": "*"}
_A_RULE = {"site": "{site}", "kind": "domain", "value": "d{unique}.example"}
_HOOK = "/v1/webhooks/endpoints/<uuid:endpoint_id>"
_WEBHOOKS = (
    Door("GET", "/v1/webhooks/endpoints", "/v1/webhooks/endpoints?site={site}"),
    Door(
        "POST", "/v1/webhooks/endpoints", "/v1/webhooks/endpoints",
        json={
            "site": "{site}", "url": "https://{unique}.example.net/", "events": ["ping"], "note": "For {unique}",
            "format": "slack", "include_email": True,
        },
    ),
    Door("GET", _HOOK, "/v1/webhooks/endpoints/{endpoint}"),
    Door("PATCH", _HOOK, "/v1/webhooks/endpoints/{endpoint}", json={"note": "For {unique}"}),
    Door("DELETE", _HOOK, "/v1/webhooks/endpoints/{new_endpoint}"),
    Door("POST", f"{_HOOK}/rotate", "/v1/webhooks/endpoints/{endpoint}/rotate"),
    Door("POST", f"{_HOOK}/test", "/v1/webhooks/endpoints/{endpoint}/test"),
    Door("POST", f"{_HOOK}/enable", "/v1/webhooks/endpoints/{endpoint}/enable"),
    Door("POST", f"{_HOOK}/recover", "/v1/webhooks/endpoints/{endpoint}/recover?since=2020-01-01T00:00:00Z"),
    Door("GET", f"{_HOOK}/deliveries", "/v1/webhooks/endpoints/{endpoint}/deliveries"),
    Door("GET", "/v1/webhooks/deliveries/<uuid:delivery_id>", "/v1/webhooks/deliveries/{delivery}"),
    Door(
        "POST", "/v1/webhooks/deliveries/<uuid:delivery_id>/redeliver",
        "/v1/webhooks/deliveries/{delivery}/redeliver",
    ),
    Door("GET", "/v1/events/schema", "/v1/events/schema"),
)  # fmt: skip

DOORS = [
    Door("GET", "/", "/"),
    Door("GET", "/healthz", "/healthz"),
    Door("GET", "/readyz", "/readyz"),
    Door("GET", "/openapi.json", "/openapi.json"),
    Door("GET", "/docs", "/docs"),
    Door("GET", "/docs/reference.js", "/docs/reference.js"),
    Door("GET", "/docs/assets/<name>", "/docs/assets/swagger-ui.css"),
    Door("GET", "/style/<digest>/<name>", "{style}"),
    Door("GET", "/widget.js", "/widget.js"),
    Door("GET", "/widget.<digest>.js", "/widget.0123456789abcdef.js"),
    Door("GET", "/widget/<digest>/<path:name>", f"/widget/{release().digest}/thread.js"),
    # Anybody, from the pages of a site.
    Door("GET", "/v1/sites/<site>/thread", "/v1/sites/{site}/thread?page={page}"),
    Door("GET", "/v1/sites/<site>/form", "/v1/sites/{site}/form?page={page}"),
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
    Door("GET", "/v1/mine", "/v1/mine?limit=3", headers=_AS_AUTHOR),
    Door(
        "PATCH", "/v1/mine", "/v1/mine", json={"id": "{approved}", "body": "My word is {unique}.", "notify": False},
        headers=_AS_AUTHOR,
    ),
    Door("DELETE", "/v1/mine", "/v1/mine?comment={fresh}", headers=_AS_AUTHOR),
    Door("GET", "/mine", "/mine", accept="text/html"),
    Door(
        "POST", "/mine", "/mine", accept="text/html",
        form={"token": "{author}", "deed": "edit", "comment": "{approved}", "body": "My word is {unique}."},
    ),
    # Moderators.
    Door("GET", "/v1/sites", "/v1/sites"),
    Door("GET", "/v1/sites/<site>", "/v1/sites/{site}"),
    Door(
        "PATCH", "/v1/sites/<site>", "/v1/sites/{site}", json={"privacy_text": "Ask {unique}."}, headers=_ANY_VERSION
    ),
    Door("POST", "/v1/sites/<site>/policy-preview", "/v1/sites/{site}/policy-preview", json={"mode": "post"}),
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
        "POST", "/v1/moderation/comments/<uuid:comment_id>/revision", "/v1/moderation/comments/{approved}/revision",
        json={"decision": "refuse", "revision": "{held}", "reason": "It is {unique}."},
    ),
    Door(
        "POST", "/v1/moderation/decisions", "/v1/moderation/decisions",
        json={"decision": "reject", "filter": {"site": "{site}", "page": "/no/such/page"}, "count": 0},
    ),
    Door("GET", "/v1/moderation/decisions/<uuid:decision_id>", "/v1/moderation/decisions/{bulk}"),
    Door(
        "POST", "/v1/moderation/decisions/<uuid:decision_id>/undo", "/v1/moderation/decisions/{decision}/undo"
    ),
    Door(
        "POST", "/v1/moderation/comments/<uuid:comment_id>/notes", "/v1/moderation/comments/{pending}/notes",
        json={"note": "Ask {unique}."},
    ),
    Door(
        "POST", "/v1/moderation/comments/<uuid:comment_id>/reply", "/v1/moderation/comments/{approved}/reply",
        json={"body": "Thanks, {unique}."},
    ),
    Door("GET", "/v1/moderation/claims", "/v1/moderation/claims"),
    Door(
        "POST", "/v1/moderation/claims", "/v1/moderation/claims",
        json={"count": 2, "filter": {"site": "{site}", "page": "/no/such/page"}},
    ),
    Door("DELETE", "/v1/moderation/claims", "/v1/moderation/claims"),
    Door("GET", "/v1/moderation/filters", "/v1/moderation/filters"),
    Door(
        "POST", "/v1/moderation/filters", "/v1/moderation/filters",
        json={"name": "About {unique}", "filter": {"site": "{site}", "q": "{unique}"}},
    ),
    Door("DELETE", "/v1/moderation/filters/<uuid:filter_id>", "/v1/moderation/filters/{kept}"),
    Door("GET", "/v1/sites/<site>/reasons", "/v1/sites/{site}/reasons"),
    Door(
        "PUT", "/v1/sites/<site>/reasons", "/v1/sites/{site}/reasons",
        json={"reasons": [{"code": "off-topic", "title": "Off {unique}", "sentence": "It is not about {unique}."}]},
    ),
    Door("POST", "/v1/people/lookup", "/v1/people/lookup", json={"site": "{site}", "email": "{email}"}),
    Door("GET", "/v1/people/<uuid:comment_id>", "/v1/people/{pending}"),
    Door("GET", "/v1/rules", "/v1/rules?site={site}"),
    Door("POST", "/v1/rules", "/v1/rules", json=_A_RULE | {"effect": "hold", "note": "It is {unique}."}),
    Door("PATCH", "/v1/rules/<uuid:rule_id>", "/v1/rules/{rule}", json={"until": None}),
    Door("DELETE", "/v1/rules/<uuid:rule_id>", "/v1/rules/{new_rule}"),
    Door("POST", "/v1/moderation/comments/<uuid:comment_id>/pin", "/v1/moderation/comments/{approved}/pin"),
    *_WEBHOOKS,
    Door("DELETE", "/v1/moderation/comments/<uuid:comment_id>/pin", "/v1/moderation/comments/{approved}/pin"),
    Door("GET", "/v1/moderation/stats", "/v1/moderation/stats"),
    Door("GET", "/v1/tokens", "/v1/tokens"),
    Door(
        "POST", "/v1/tokens", "/v1/tokens",
        json={"name": "For {unique}", "scopes": ["read"], "site": "{site}", "days": 9, "password": "{password}"},
    ),
    Door("DELETE", "/v1/tokens/<uuid:token_id>", "/v1/tokens/{token}"),
    Door("GET", "/v1/moderators", "/v1/moderators?site={site}"),
    Door(
        "PATCH", "/v1/moderators/<uuid:moderator_id>", "/v1/moderators/{member}",
        json={"site": "{site}", "role": "viewer"},
    ),
    Door("DELETE", "/v1/moderators/<uuid:moderator_id>", "/v1/moderators/{newcomer}?site={site}"),
    Door("GET", "/v1/moderators/invites", "/v1/moderators/invites?site={site}"),
    Door(
        "POST", "/v1/moderators/invites", "/v1/moderators/invites",
        json={"site": "{site}", "role": "viewer", "name": "For {unique}"},
    ),
    Door("DELETE", "/v1/moderators/invites/<uuid:invite_id>", "/v1/moderators/invites/{invite}"),
    # The desk.
    Door("GET", "/desk/", "/desk/?site={site}", accept="text/html"),
    Door("GET", "/desk/sites", "/desk/sites", accept="text/html"),
    Door("GET", "/desk/sites/<site>", "/desk/sites/{site}", accept="text/html"),
    Door(
        "POST", "/desk/sites/<site>", "/desk/sites/{site}", accept="text/html",
        form={
            "name": "Said {unique}", "mode": "pre", "origins": "https://{site}.example.org", "depth": "4",
            "language": "en", "retention_days": "365", "seen": "*",
        },
    ),
    Door("GET", "/desk/audit", "/desk/audit?site={site}", accept="text/html"),
    Door("GET", "/desk/numbers", "/desk/numbers?site={site}", accept="text/html"),
    Door("GET", "/desk/waiting", "/desk/waiting?site={site}"),
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
        "POST", "/desk/comments/<uuid:comment_id>/undo", "/desk/comments/{fresh}/undo", accept="text/html",
        form={"undoes": "{decision}"},
    ),
    Door(
        "POST", "/desk/comments/<uuid:comment_id>/notes", "/desk/comments/{pending}/notes", accept="text/html",
        form={"note": "Ask {unique} at the desk."},
    ),
    Door(
        "POST", "/desk/comments/<uuid:comment_id>/reply", "/desk/comments/{approved}/reply", accept="text/html",
        form={"body": "Thanks from the desk, {unique}."},
    ),
    Door(
        "POST", "/desk/decisions", "/desk/decisions", accept="text/html",
        form={"decision": "spam", "all": "true", "count": "0", "back": "site={site}&page=/no/such/page"},
    ),
    Door("GET", "/desk/decisions/<uuid:decision_id>", "/desk/decisions/{bulk}", accept="text/html"),
    Door(
        "POST", "/desk/decisions/<uuid:decision_id>/undo", "/desk/decisions/{decision}/undo", accept="text/html",
        form={},
    ),
    Door("GET", "/desk/filters", "/desk/filters", accept="text/html"),
    Door(
        "POST", "/desk/filters", "/desk/filters", accept="text/html",
        form={"name": "About {unique}", "back": "site={site}&q={unique}"},
    ),
    Door(
        "POST", "/desk/filters/<uuid:filter_id>/delete", "/desk/filters/{kept}/delete", accept="text/html", form={}
    ),
    Door("GET", "/desk/reasons", "/desk/reasons", accept="text/html"),
    Door(
        "POST", "/desk/reasons", "/desk/reasons", accept="text/html",
        form={"site": "{site}", "code": "off-topic", "title": "Off {unique}", "sentence": "Not about {unique}."},
    ),
    Door(
        "POST", "/desk/comments/<uuid:comment_id>/pin", "/desk/comments/{published}/pin", accept="text/html",
        form={"pinned": "true"},
    ),
    Door(
        "POST", "/desk/people/lookup", "/desk/people/lookup", accept="text/html",
        form={"site": "{site}", "email": "{email}"},
    ),
    Door("GET", "/desk/people/<uuid:comment_id>", "/desk/people/{pending}", accept="text/html"),
    Door(
        "POST", "/desk/people/<uuid:comment_id>/rules", "/desk/people/{fresh}/rules", accept="text/html",
        form={"deed": "trust", "note": "It is {unique}."},
    ),
    Door("GET", "/desk/rules", "/desk/rules?site={site}", accept="text/html"),
    Door("POST", "/desk/rules", "/desk/rules", accept="text/html", form=_A_RULE | {"deed": "hold"}),
    Door(
        "POST", "/desk/rules/<uuid:rule_id>", "/desk/rules/{rule}", accept="text/html", form={"end": "week"}
    ),
    Door("POST", "/desk/claims", "/desk/claims", accept="text/html", form={"back": "site={site}&page={page}"}),
    Door(
        "POST", "/desk/comments/<uuid:comment_id>/revision", "/desk/comments/{approved}/revision", accept="text/html",
        form={"decision": "refuse", "revision": "{held}", "seen": "*"},
    ),
    Door(
        "POST", "/desk/comments/<uuid:comment_id>/reveal", "/desk/comments/{pending}/reveal", accept="text/html",
        form={},
    ),
    Door("GET", "/desk/account", "/desk/account", accept="text/html"),
    Door("POST", "/desk/account", "/desk/account", accept="text/html", form={"deed": "name", "name": "Kim {unique}"}),
    Door("POST", "/desk/account/passkey", "/desk/account/passkey", accept="text/html", form={"old": "{password}"}),
    Door("GET", "/desk/team", "/desk/team?site={site}", accept="text/html"),
    Door(
        "POST", "/desk/team", "/desk/team", accept="text/html",
        form={"deed": "invite", "site": "{site}", "role": "viewer", "name": "For {unique}"},
    ),
    Door("GET", "/desk/webhooks", "/desk/webhooks?site={site}", accept="text/html"),
    Door(
        "POST", "/desk/webhooks", "/desk/webhooks", accept="text/html",
        form={"site": "{site}", "url": "https://{unique}.example.net/", "events": "ping", "note": "For {unique}"},
    ),
    Door("GET", "/desk/webhooks/<uuid:endpoint_id>", "/desk/webhooks/{endpoint}", accept="text/html"),
    Door(
        "POST", "/desk/webhooks/<uuid:endpoint_id>", "/desk/webhooks/{endpoint}", accept="text/html",
        form={"deed": "change", "url": "https://{unique}.example.net/", "events": "ping", "note": "For {unique}"},
    ),
    Door("GET", "/desk/sign-up", "/desk/sign-up", accept="text/html"),
    Door("POST", "/desk/sign-up", "/desk/sign-up", accept="text/html", form={"invite": "{link}"}),
    Door("GET", "/desk/sign-in/code", "/desk/sign-in/code", accept="text/html"),
    Door("POST", "/desk/sign-in/code", "/desk/sign-in/code", accept="text/html", form={"code": "000000"}),
    Door("GET", "/desk/sign-in/passkey", "/desk/sign-in/passkey"),
    Door("POST", "/desk/sign-in/passkey", "/desk/sign-in/passkey", accept="text/html", form={"credential": "x"}),
    Door("GET", "/desk/sign-in", "/desk/sign-in", accept="text/html"),
    Door("POST", "/desk/sign-in", "/desk/sign-in", accept="text/html", form={"email": "{typed}", "password": "x"}),
    Door("POST", "/desk/sign-out", "/desk/sign-out", accept="text/html", form={}),
    Door("GET", "/desk/static/<path:filename>", "/desk/static/desk.css"),
]  # fmt: skip
