"""What the desk shows: the queue, one comment, and what is new."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import marshmallow as ma
from flask import Blueprint, Response, jsonify, redirect, request, url_for
from webargs.flaskparser import abort

from service import errors
from service.accounts.guard import guarded, principal, refuse_foreign_pages
from service.audit import queries as audit
from service.authors.queries import HELD
from service.comments.models import Comment
from service.comments.schemas import timestamp
from service.comments.status import APPROVED, PENDING
from service.db import Busy, new_id, transaction
from service.desk import endpoints, outcomes, pages, schemas, views, words
from service.desk.pages import draw
from service.doors import StrictParser
from service.errors import Forbidden, NotFound
from service.filters import queries as filters
from service.filters import views as lists
from service.moderation import bulk, operations, queries
from service.moderation.decisions import queries as decisions
from service.moderation.queries import Filter
from service.moderation.routes import wanted
from service.moderation.scope import sites_of
from service.numbers.operations import late
from service.pagination import Position, read_cursor, write_cursor
from service.presence import operations as presence
from service.sites.models import Site

NOT_THE_LIST = ("done", "many", "select", "cursor", "limit")
"""What an address of the queue says beside which comments it lists, in which order."""
FILTERS = (
    "site", "page", "q", "reason", "revision", "person", "network", "rating", "has_link", "first_timer", "claimed",
    "alike",
)  # fmt: skip
_PATIENCE = 0.2
"""Seconds for which a look for news waits to say who looks."""


IN_THE_FORM = ("q", "sort", "rating", *views.FILTERS)
"""What everybody chooses in the form of the list; whatever else is asked for goes with it unseen."""


class Desk(Blueprint):
    """Pages for which `accounts.guard` asks who is there."""

    guarded = True


class FormParser(StrictParser):
    """What browsers send: the schema says what becomes of fields that nobody knows."""

    DEFAULT_UNKNOWN_BY_LOCATION = {}


MOST_FILTERS = 100
"""Shown at a time."""

MOST_COUNTED = 9_999
"""Comments that wait, by the tab of the queue; the page of numbers counts them all."""

bp = Desk("desk", __name__, url_prefix="/desk", template_folder="templates")
pages.init(bp)
errors.register(bp, pages.problem_page)
parser = FormParser()


@bp.route("/")
@guarded("read")
def queue() -> Response:
    """Comments of my sites: those that wait, the oldest first, unless asked otherwise."""
    return queue_page(parser.parse(schemas.Queue(), location="query"), request.args.to_dict())


def queue_page(asked: Mapping[str, Any], address: Mapping[str, Any], status: int = 200, **told: Any) -> Response:
    """The list at an address of the queue, which is `asked` as its schema reads it."""
    query = {name: one for name, one in asked.items() if name not in NOT_THE_LIST}
    owner = ("desk", sorted(query.items(), key=str))
    chosen = wanted(query | {"status": state(query)}, "read")
    after = read_cursor(asked["cursor"], *owner)
    found = queries.listed(chosen, sort=query["sort"], after=after, limit=asked["limit"])
    following = write_cursor(found.next, *owner)

    def with_query(**changes: str | None) -> str:
        """This list with something else chosen, from its beginning unless a cursor is given."""
        select = {"select": changes["select"]} if "select" in changes else {}
        return queue_at({**address, "cursor": None} | changes, **select)

    items = views.entries(found.rows, _groups(query, chosen, found.rows), principal())
    return draw(
        "queue.html",
        status,
        items=items,
        rejections=views.rejections(items, chosen.site_ids),
        query=query,
        sites=sites_of(None, "read"),
        waiting=waiting(query["site"]),
        changes=waiting(query["site"], status=APPROVED, revision=HELD),
        **_around(asked, query),
        late=views.late(late([one.id for one in sites_of(query["site"], "read")])),
        choices=views.FILTERS,
        hidden=_hidden(address),
        searched=sites_of(None, "moderate"),
        chosen=[name for name in FILTERS if query[name] is not None],
        news=url_for("desk.news") + f"?{urlencode(kept(address) | {'cursor': ''})}",
        first=asked["cursor"] is None,
        next=with_query(cursor=following) if following else None,
        ends=[_told(after), _told(found.next)],
        back=urlencode(kept(address)),
        address=with_query,
        filtered=any(query[name] is not None for name in FILTERS),
        holders=views.holders(queries.claims_by_moderator([one.id for one in sites_of(None, "read")]), principal()),
        **told,
    )


def _told(place: Position | None) -> dict[str, Any] | None:
    """Where a page of the list begins or ends, as the script compares it with what came."""
    return {"place": lists.place(place.at, place.id), "risk": place.rank} if place else None


def _hidden(address: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the form of the list sends along beside its boxes, so that no filter is lost by another one."""
    boxes = {*IN_THE_FORM, "cursor"} | ({"site"} if len(sites_of(None, "read")) > 1 else set())
    return [(name, value) for name, value in kept(address).items() if name not in boxes]


def _around(asked: Mapping[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    """What stands around a list: what was just done, what is selected, the filters that are saved, what is off."""
    mine = sites_of(None, "manage")
    return {
        "off": endpoints.switched_off([one.id for one in mine if query["site"] in (None, one.key)]),
        "held_for": words.reason(query["reason"] or ""),
        "done": _just_done(asked["done"]),
        "many": _many_done(asked["many"]),
        "selected": _selected(query, asked["select"]),
        "saved": kept_filters(counted=False),
        "share": _to_share(query, mine),
        "shared": views.shared(query["alike"]) if query["alike"] else None,
    }


def kept_filters(cursor: str | None = None, *, counted: bool) -> dict[str, Any]:
    """Filters that are saved, by name, each with the address of its list. Counting them may take long."""
    found = lists.listed(principal(), read_cursor(cursor, "desk.filters"), MOST_FILTERS, counted=counted)
    rows = [
        one | {"there": queue_at({"status": schemas.EVERY} | typed(one["filter"])), "most": filters.MOST}
        for one in sorted(found.rows, key=lambda one: str(one["name"]))
    ]
    return {"rows": rows, "next": write_cursor(found.next, "desk.filters"), "counted": counted}


def typed(query: Mapping[str, Any]) -> dict[str, str]:
    """What a list is asked for by, as an address says it."""
    return {name: str(one).lower() if isinstance(one, bool) else str(one) for name, one in query.items()}


def _to_share(query: Mapping[str, Any], mine: Sequence[Site]) -> str | None:
    """The site on which its owner may share the list: the one that it is about."""
    found = [one for one in mine if one.key == query["site"]]
    return found[0].key if found else None


def _groups(query: Mapping[str, Any], chosen: Filter, rows: Sequence[Comment]) -> dict[str, int]:
    """How many that wait have in common what some of these have; none in a list of what is alike already."""
    together = query["status"] == PENDING and not query["alike"] and not query["person"]
    return filters.alike(chosen, rows) if together else {}


def state(query: Mapping[str, Any]) -> str | None:
    """The state that a list is about; None for every one."""
    return None if query["status"] == schemas.EVERY else query["status"]


def _selected(query: dict[str, Any], select: str | None) -> dict[str, Any]:
    """What is selected before anybody clicks, and what is known of all that match: only that may be decided on."""
    if select != schemas.ALL or not is_of_those_that_wait(query):
        return {"page": select == schemas.THIS_PAGE, "all": False, "key": new_id()}
    number, last, edited = queries.newest(wanted(query | {"status": PENDING}, "moderate"))
    known = {"count": number, "newest": last, "edited": timestamp(edited)}
    return {"page": True, "all": True, "key": new_id(), "at_once": bulk.AT_ONCE} | known


def is_of_those_that_wait(query: Mapping[str, Any]) -> bool:
    """Whether all that a list matches can be decided on at once: what was decided has to be seen one by one."""
    return query["status"] == PENDING and not query["revision"]


@bp.route("/waiting")
@guarded("read")
def news() -> Response:
    """What came into a list last, how many wait, and who else looks at what: 304 as long as that is so."""
    query = parser.parse(schemas.News(), location="query")
    _looks_at(query.pop("at"))
    came = lists.arrivals(wanted(query | {"status": state(query)}, "read"))
    answer = jsonify(came=came, waiting=waiting(query["site"]), looking=presence.others(principal()))
    answer.set_etag(hashlib.sha256(answer.get_data()).hexdigest()[:16])
    answer.make_conditional(request)
    return answer


def _looks_at(comment_id: UUID | None) -> None:
    """Let others see what a person has in front of them. It is left out where it would fail, or wait for others."""
    if comment_id is None or principal().kind != "session":
        return
    with suppress(Forbidden, NotFound, Busy):
        refuse_foreign_pages()
        one = operations.find(comment_id, principal(), "read")
        if not presence.is_said(one, principal()):
            with transaction(patience=_PATIENCE):
                presence.say(one, principal())


def kept(values: Mapping[str, Any]) -> dict[str, str]:
    """Of an address of the queue, what says which comments are shown."""
    names = ("status", *FILTERS, "sort", "cursor", "limit")
    return {name: str(values[name]) for name in names if values.get(name)}


def queue_at(values: Mapping[str, Any], **more: Any) -> str:
    """An address of the queue, always built anew from known names: a form can send nobody elsewhere."""
    query = urlencode(kept(values) | more)
    return url_for("desk.queue") + (f"?{query}" if query else "")


def list_at(query: dict[str, Any]) -> dict[str, Any]:
    """What an address of the queue asks for; 422 when it is none of ours."""
    try:
        found: dict[str, Any] = schemas.Queue().load({name: one for name, one in query.items() if one})
    except ma.ValidationError as error:
        abort(422, exc=error, messages=error.messages)
    return found


def away(there: str) -> Response:
    """Look at another page now, by GET."""
    answer: Response = redirect(there, 303)  # type: ignore[assignment]
    return answer


def waiting(site: str | None, status: str = PENDING, revision: str | None = None) -> str:
    """How many comments, or changes, wait on one of my sites, or on all of them: `0`, `9999+`."""
    mine = [one.id for one in sites_of(None, "read") if site in (None, one.key)]
    number = queries.count(Filter(mine, status=status, revision=revision), MOST_COUNTED + 1)
    return f"{MOST_COUNTED}+" if number > MOST_COUNTED else str(number)


def _just_done(comment_id: UUID | None) -> dict[str, Any] | None:
    """The comment that was decided a moment ago, told from its row: a link can make nobody believe otherwise."""
    if comment_id is None:
        return None
    try:
        return views.item(operations.find(comment_id, principal(), "read"), principal())
    except NotFound:
        return None


def _many_done(decision_id: UUID | None) -> dict[str, Any] | None:
    """The decision on many that was made a moment ago, told from its row."""
    found = decisions.bulk(decision_id, principal().moderator_id) if decision_id else None
    return outcomes.many(found, principal()) if found else None


@bp.route("/comments/<uuid:comment_id>")
@guarded("read")
def comment(comment_id: UUID) -> Response:
    """One comment with all that stands behind it."""
    asked = parser.parse(schemas.Place(), location="query")
    return comment_page(operations.find(comment_id, principal(), "read"), asked["back"])


def comment_page(one: Comment, back: str, status: int = 200, **told: Any) -> Response:
    history, noted = audit.history_of(one.site_id, one.id)
    seen = views.whole(one, principal(), history + [link for link in noted if link not in history])
    news_at = url_for("desk.news", site=one.site.key)
    return draw(
        "comment.html", status, one=seen, back=back, queue=queue_at(dict(parse_qsl(back))), news=news_at, **told
    )


@bp.route("/<path:elsewhere>")
@guarded("read")
def nowhere(elsewhere: str) -> Response:
    """Any other address of the desk, so that it is missing in the desk's own look."""
    raise NotFound()
