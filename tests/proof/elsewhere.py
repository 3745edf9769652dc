"""Files beside those of the rooms whose mutants nobody makes, each with the reason."""

from __future__ import annotations

BESIDE = ("accounts", "authors", "comments", "moderation", "outbound", "privacy", "webhooks")
"""Where that which renders, seals, lets in, decides and sends lies."""

ELSEWHERE = {
    "service/*/__init__.py": "no code",
    "service/*/models.py": "tables: the databases keep to them, and figure 18 compares them with the migrations",
    "service/*/*schemas.py": "shapes: figures 5 and 5c find what they take and tell beside what they say",
    "service/*/*routes.py": "doors: figures 4 to 8 go through every one of them",
    "service/*/*views.py": "what is told of a row: figures 4 and 6 look for what must not be",
    "service/*/worker.py": "when something is done that is tried in a room",
    "service/accounts/browsers.py": "a name for a browser: nothing hangs on it",
    "service/comments/admission.py": "what a page takes at all, before anything is decided",
    "service/comments/events.py": "what an event tells: figures 4 and 15 look for what must not be, or is missing",
    "service/comments/facts.py": "looked up for the rules about spam, which only hold back",
    "service/comments/feed.py": "a view: figures 1 and 2 read feeds as browsers and readers do",
    "service/comments/formtoken.py": "tells how long a form was open, for the rules about spam",
    "service/comments/likeness.py": "puts what is alike side by side in the queue",
    "service/comments/public.py": "what is told of a row: figures 4 and 6 look for what must not be",
    "service/comments/queries.py": "statements, and reasons as rows: figures 4 and 6 look for what they must not give",
    "service/comments/restoring.py": "imports: figures 1 and 3 read back what they store",
    "service/comments/search/queries.py": "statements: what is found is what a list would give",
    "service/comments/shown/queries.py": "statements: figures 4 and 6 look for what they must not give",
    "service/comments/rotation.py": "seals anew, part by part, by what is tried in the room of sealing",
    "service/comments/threads.py": "the order of what is shown",
    "service/comments/upkeep.py": "what the worker does in time, by what is tried in the rooms",
    "service/moderation/claims.py": "shares out what waits",
    "service/moderation/decisions/queries.py": "statements: figures 4 and 6 look for what they must not give",
    "service/moderation/diff.py": "shows moderators where two texts differ",
    "service/moderation/exports.py": "a view of the audit log",
    "service/moderation/people.py": "how moderators know people, and what a site says of them in advance",
    "service/moderation/pins.py": "the order of what is shown",
    "service/moderation/policies.py": "settings: figures 3 and 6 write to each",
    "service/moderation/queries.py": "statements: figures 4 and 6 look for rows that they must not give",
    "service/moderation/webhooks.py": "endpoints: figures 11 and 12 are about them",
    "service/webhooks/catalogue.py": "what events look like: their schemas are held to every event that is told",
    "service/webhooks/chat.py": "a view: what chats show of an event",
    "service/webhooks/operations.py": "endpoints: figures 11 and 12 are about them",
    "service/webhooks/outbox.py": "what is announced and released: figure 15 counts it",
    "service/webhooks/policy.py": "when the next try is: settings and times",
    "service/webhooks/queries.py": "statements: figures 4 and 6 look for rows that they must not give",
    "service/webhooks/resealing.py": "seals anew, part by part, by what is tried in the room of sealing",
    "service/webhooks/sending.py": "takes, sends and settles: figure 15 kills it between each two steps",
    "service/webhooks/turns/*.py": "which delivery is next: figure 15 finds what is never sent",
}
