"""What every event carries, as JSON Schema 2020-12: nothing that is not named here gets into one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

Schema = dict[str, Any]

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_DAY, _HOUR = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"
_STATUSES = ["pending", "approved", "rejected", "spam", "deleted"]
_REPORTED = ["spam", "abuse", "private", "off-topic", "other"]

_ID: Schema = {"type": "string", "pattern": f"^{_UUID}$"}
_TIME: Schema = {"type": "string", "format": "date-time", "pattern": f"^{_DAY}T{_HOUR}Z$"}
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 1}


def schemas() -> Schema:
    """One document: the schema of what is sent, and in its `$defs` the `data` of each type under the type's name.

    `GET /v1/events` tells the same with `id` and `seq`, which the schema therefore takes, too.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An event of Greenroom",
        "description": "What the body of a webhook holds, and each event that GET /v1/events tells.",
        **_thing(_ENVELOPE, optional=("id", "seq")),
        "oneOf": [{"properties": {"type": {"const": one}, "data": _ref(one)}} for one in TYPES],
        "$defs": {"comment": _COMMENT, "author": _AUTHOR, "page": _PAGE, "actor": _ACTOR} | _DATA,
    }


def _said(schema: Schema, description: str) -> Schema:
    return schema | {"description": description}


def _thing(properties: Schema, optional: Collection[str] = ()) -> Schema:
    """An object with these properties and no others, all of them there but those that are optional."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _about(more: Schema | None = None, optional: Collection[str] = ()) -> Schema:
    """`data` of an event about a comment."""
    return _thing({name: _ref(name) for name in ("comment", "page", "actor")} | (more or {}), optional)


def _decided(more: Schema | None = None) -> Schema:
    """`data` of an event about a decision, and about one that was undone."""
    undoes = _said(_ID, "Of an undone decision: the id of the event that told of it, which holds no more.")
    told = {"previous_status": _BEFORE, "reason": _REASON, "undoes": undoes} | (more or {})
    return _about(told, optional=set(told) - {"previous_status"})


_AUTHOR = _thing(
    {
        "name": _TEXT,
        "website": {"type": ["string", "null"]},
        "avatar": _said(_TEXT, "A random seed to draw a picture from."),
        "email": _said(_TEXT, "Only in what is sent to an endpoint with include_email, and only while it is stored."),
    },
    optional=("email",),
)
_COMMENT = _thing(
    {
        "id": _ID,
        "site": _said(_TEXT, "The key of the site."),
        "page_id": _ID,
        "parent_id": {"type": ["string", "null"], "pattern": f"^{_UUID}$"},
        "status": {"enum": _STATUSES},
        "author": _ref("author"),
        "text": _said(_TEXT | {"maxLength": 4_000}, "Markdown, cut at 4,000 bytes of UTF-8."),
        "truncated": {"type": "boolean", "description": "Whether there is more of the text, behind `url`."},
        "url": _said(_TEXT, "The door of the API that tells the whole comment; it begins with a slash."),
        "rating": {"type": ["number", "null"]},
        "reasons": {"type": "array", "items": _TEXT, "description": "For what it was held or reported, as codes."},
        "created_at": _TIME,
        "version": _said(_COUNT, "Grows whenever text or status change."),
    }
)
_PAGE = _thing({"id": _ID, "url": {"type": ["string", "null"]}, "title": _TEXT, "state": {"enum": ["open", "closed"]}})
_ACTOR: Schema = {
    "type": "string",
    "pattern": f"^((author|moderator|token):{_UUID}|command|reader)$",
    "description": "Who did it. Which reader it was, nobody is told.",
}
_BEFORE: Schema = {"enum": _STATUSES, "description": "The status until then."}
_REASON = _said(_TEXT, "Why, if somebody said so. Taken out when the comment is erased.")
_OF_THREAD = _thing({"page": _ref("page"), "actor": _ref("actor")})
_ENDPOINT = {"id": _ID, "host": _TEXT, "note": _said(_TEXT, "What was noted about it.")}

_DATA: dict[str, Schema] = {
    "comment.created": _about(),
    "comment.approved": _decided(),
    "comment.rejected": _decided({"reason_code": _said(_TEXT, "Which of the site's reasons it was.")}),
    "comment.spam": _decided(),
    "comment.deleted": _decided(),
    "comment.restored": _decided(),
    "comment.edited": _about(
        {
            "revision": _said({"enum": ["held", "accepted", "refused"]}, "Of an author's change of a published text."),
            "reason": _REASON,
        },
        optional=("revision", "reason"),
    ),
    "comment.flagged": _about(
        {"reason": {"enum": _REPORTED}, "reports": _said(_COUNT, "How many since the last decision.")},
        optional=("reason",),
    ),
    "comment.erased": _about({"previous_status": _BEFORE}),
    "thread.opened": _OF_THREAD,
    "thread.closed": _OF_THREAD,
    "queue.overdue": _thing(
        {"queue": _thing({"site": _TEXT, "pending": _COUNT, "oldest_pending_at": _TIME, "target_age_minutes": _COUNT})}
    ),
    "flood.started": _thing({"flood": _thing({"site": _TEXT, "comments": _COUNT, "minutes": _COUNT})}),
    "endpoint.disabled": _thing({"endpoint": _thing(_ENDPOINT), "because": _TEXT}),
    "ping": _thing({"endpoint": _thing({"id": _ID}), "actor": _ref("actor")}),
}

TYPES = tuple(_DATA)
"""Every type that there is."""

_ENVELOPE: Schema = {
    "type": _said({"enum": list(TYPES)}, "New ones may come: leave alone what you do not know."),
    "timestamp": _said(_TIME, "When it happened."),
    "data": _said({"type": "object"}, "What happened; which fields there are depends on the type."),
    "id": _said(_ID, "In GET /v1/events; of a webhook it is the header webhook-id."),
    "seq": _said(_COUNT, "In GET /v1/events: the place in the order."),
}
