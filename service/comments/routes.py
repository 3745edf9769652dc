"""The public doors: read a thread, leave a comment, count, follow, preview."""

from __future__ import annotations

from functools import wraps
from typing import Any
from uuid import UUID

from flask import Response, request

from service.comments import feed, formtoken, public, schemas, threads
from service.comments.operations import Sender, Submission, submit
from service.comments.rendering import render
from service.comments.shown import queries as shown
from service.db import transaction
from service.doors import TEXT_BODY, OpenDoor, View, answer, per_address, sender_ip, settings, takes, tells
from service.errors import Invalid, NotFound
from service.idempotency.operations import Answer, Asked, once
from service.limits import spend, within
from service.pagination import Position, read_cursor, write_cursor
from service.privacy.seal import email_index, keyed, network_label, rate_key
from service.sites import queries as sites
from service.sites.addresses import Address, BadPage, ForeignPage, canonical
from service.sites.models import Site
from service.sites.origins import allow_origin, check_poster, find_site, this_site
from service.sites.sharing import made_of, made_of_any_page, shared

bp = OpenDoor("comments", __name__, url_prefix="/v1/sites/<site>", description="Public doors: no cookies.")
bp.url_value_preprocessor(find_site)
bp.after_request(allow_origin)


def address_of(site: Site, page: str) -> Address:
    """The canonical address of a page. Invalid when it is broken or another site's."""
    try:
        return canonical(page, origins=site.origins)
    except (BadPage, ForeignPage) as error:
        raise Invalid.field("page", "page", str(error)) from error


@bp.route("/thread")
@bp.arguments(schemas.ThreadQuery, location="query")
@bp.response(200, schemas.ThreadOut)
@tells(304, headers=("If-None-Match",))
def read_thread(query: dict[str, Any], site: str) -> Response:
    """The published comments of a page, nested, with its rating. A page never seen is open and empty."""
    return shared(answer(thread_document(this_site(), **query)))


def thread_document(site: Site, *, page: str, sort: str, limit: int, cursor: str | None) -> dict[str, Any]:
    """A thread as the API tells it; the embed page shows the same."""
    address = address_of(site, page)
    found = sites.page_at(site, address.key)
    owner = ("thread", site.id, address.key, sort)
    after = read_cursor(cursor, *owner)
    thread = threads.read(found, sort=sort, after=after, limit=limit) if found else threads.Thread([], None)
    rated = _ratings(site, [found.id])[found.id] if found else None
    if found:
        made_of(found.id, found.closes_at())
    return {
        "page": public.page(found, address.url, rated),
        "comments": [public.comment(node, _replies_cursor) for node in thread.nodes],
        "next": write_cursor(thread.next, *owner),
    }


def _replies_cursor(position: Position | None, comment_id: str) -> str | None:
    return write_cursor(position, "replies", comment_id)


def _ratings(site: Site, page_ids: list[UUID]) -> dict[UUID, dict[str, Any] | None]:
    bars = sites.histograms(page_ids, site.rating_max) if site.rating_max else {}
    return {page_id: public.rating(site, bars.get(page_id)) for page_id in page_ids}


@bp.route("/form")
@bp.arguments(schemas.PageQuery, location="query")
@bp.response(200, schemas.FormOut)
def read_form(query: dict[str, Any], site: str) -> Response:
    """What a form for a page shows, and a fresh time token for it."""
    found = sites.page_at(this_site(), address_of(this_site(), query["page"]).key)
    response = answer(public.form(this_site(), found, formtoken.issue(this_site())))
    response.headers["Cache-Control"] = "no-store"
    return response


def count_sender(site: Site) -> None:
    """Count a submission against the limit of its sender's address. A site's own limit counts for that site alone."""
    key = rate_key(sender_ip())
    if site.limit_submit:
        spend(site.limit_submit, "submit", f"{site.id}:{key}")
    else:
        spend(settings().limit_submit, "submit", key)


def _per_sender(view: View) -> View:
    """As `per_address`, before anything of the body is read."""

    @wraps(view)
    def counted(*args: Any, **kwargs: Any) -> Any:
        count_sender(this_site())
        return view(*args, **kwargs)

    return counted  # type: ignore[return-value]


@bp.route("/comments", methods=["POST"])
@takes(TEXT_BODY)
@_per_sender
@bp.arguments(schemas.Submission)
@bp.response(202, schemas.Held, description="Held for a moderator.")
@bp.alt_response(201, schema=schemas.Held, description="Published.")
@bp.doc(security=[{}, {"author": []}])
@tells(403, 409, 429, headers=("Idempotency-Key",))
def create(values: dict[str, Any], site: str) -> Response:
    """Leave a comment. Name and e-mail are required; the e-mail is never published."""
    check_poster(this_site())
    signs = {"honeypot": values.pop("honeypot")}
    token = values.pop("form_token")
    if token is not None:
        signs |= {"form_age": formtoken.age(this_site(), token, max_hours=settings().form_max_hours)}
    done = accept(this_site(), values, Sender(sender_ip(), author_token(), signs))
    response = answer(done.body, done.status)
    response.headers["Cache-Control"] = "no-store"
    if done.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def accept(site: Site, values: dict[str, Any], sender: Sender) -> Answer:
    """Take a validated submission through limits and key into the database: both forms of the door end here."""
    address = _page_address(site, values)
    limits = settings()
    name = sites.key_of(site.id, address.key)  # a page of several addresses has one limit
    spend(site.limit_page or limits.limit_page, "page", keyed("page", site.id.bytes, name.encode()).hex())
    spend(site.limit_site or limits.limit_site, "site", str(site.id))
    mail = email_index(site.id, values["email"]).hex()
    signs = sender.signs | {
        "too_many_by_email": not within(limits.limit_email, "email", mail),
        "form_min_seconds": limits.form_min_seconds,
    }
    key = request.headers.get("Idempotency-Key")
    asked = Asked(
        by=f"{site.id}:{_sent_by(site, sender)}" if key else "",
        door="comments.create",
        key=key,
        body={name: str(value) for name, value in values.items()} if key else None,
    )
    told = ("page", "page_url")
    what = Submission(page=address, **{name: value for name, value in values.items() if name not in told})
    with transaction():
        return once(asked, lambda: _submitted(site, what, Sender(sender.ip, sender.author_token, signs)))


def _sent_by(site: Site, sender: Sender) -> str:
    """Whose keys these are: a token's holder has their own, others share those of their network."""
    token = sender.author_token
    return f"author:{token}" if token else f"network:{network_label(site.id, sender.ip)}"


def _page_address(site: Site, values: dict[str, Any]) -> Address:
    address = address_of(site, values["page"])
    if address.kind == "id" and values.get("page_url"):
        return Address(address.key, address_of(site, values["page_url"]).url, "id")
    return address


def _submitted(site: Site, what: Submission, sender: Sender) -> Answer:
    """Store, and answer: a spammer is told the same as anybody who has to wait, or who is published."""
    done = submit(site, what, sender)
    approved = done.comment.told_status == "approved"
    body = {
        "id": str(done.comment.id),
        "status": "approved" if approved else "pending",
        "created_at": schemas.timestamp(done.comment.created_at),
        "author_token": done.token,
        "manage_url": f"{settings().public_url}/mine#{done.token}" if done.token else None,
    }
    return Answer(201 if approved else 202, body, secrets=("author_token", "manage_url"))


def author_token() -> str | None:
    """The token of `Authorization: Author …`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "author" and token.strip() else None


@bp.route("/comments/<uuid:comment_id>")
@bp.arguments(schemas.ListQuery, location="query")
@bp.response(200, schemas.OneOut)
@tells(304, headers=("If-None-Match",))
def read_one(query: dict[str, Any], site: str, comment_id: UUID) -> Response:
    """One published comment and its replies, paged."""
    row = shown.shown_one(this_site().id, comment_id)
    if row is None:
        raise NotFound("There is no published comment by that id.")
    document, after = _branch(this_site(), row, query["limit"], query["cursor"])
    page = {"id": str(row.page_id), "url": row.page_url, "title": row.page_title}
    made_of(row.page_id)
    return shared(answer({"page": page, "comment": document, "next": after}))


def branch_document(site: Site, *, page: str, comment_id: UUID, limit: int, cursor: str | None) -> dict[str, Any]:
    """One comment of a page and its replies, in the shape of a thread; more replies are behind its `replies_next`."""
    address = address_of(site, page)
    found = sites.page_at(site, address.key)
    row = shown.shown_one(site.id, comment_id)
    if found is None or row is None or row.page_id != found.id:
        raise NotFound("There is no published comment by that id on this page.")
    document, _ = _branch(site, row, limit, cursor)
    made_of(found.id, found.closes_at())
    page_view = public.page(found, address.url, _ratings(site, [found.id])[found.id])
    return {"page": page_view, "comments": [document], "next": None}


def _branch(site: Site, row: Any, limit: int, cursor: str | None) -> tuple[dict[str, Any], str | None]:
    """A comment with a page of its replies, and the cursor to the next ones."""
    owner = ("replies", row.id)
    after = read_cursor(cursor, *owner)
    thread = threads.read_one(row, site.depth, after=after, limit=limit)
    return public.comment(thread.nodes[0], _replies_cursor), write_cursor(thread.next, *owner)


@bp.route("/counts")
@bp.arguments(schemas.CountsQuery, location="query")
@bp.response(200, schemas.CountsOut)
@tells(304, headers=("If-None-Match",))
def read_counts(query: dict[str, Any], site: str) -> Response:
    """How many comments some pages have, and their ratings; in the order asked."""
    return shared(answer(_counts(query["page"])))


@bp.route("/counts", methods=["POST"])
@takes(TEXT_BODY)
@bp.arguments(schemas.CountsBody)
@bp.response(200, schemas.CountsOut)
@tells(403)
def ask_counts(values: dict[str, Any], site: str) -> Response:
    """The same, for lists too long for a URL."""
    check_poster(this_site())
    return answer(_counts(values["pages"]))


def _counts(asked: list[str]) -> dict[str, Any]:
    site = this_site()
    keys = [address_of(site, page).key for page in asked]
    found = sites.pages_at(site, keys)
    rated = _ratings(site, [page.id for page in found.values()])
    none = {"comment_count": 0, "rating": None}
    counts = {key: {"comment_count": page.comment_count, "rating": rated[page.id]} for key, page in found.items()}
    for page in found.values():
        made_of(page.id)
    if found.keys() < set(keys):
        made_of_any_page()  # one that nobody has written on yet
    return {"counts": [{"page": page} | counts.get(key, none) for page, key in zip(asked, keys, strict=True)]}


@bp.route("/latest")
@bp.arguments(schemas.ListQuery, location="query")
@bp.response(200, schemas.LatestOut)
@tells(304, headers=("If-None-Match",))
def read_latest(query: dict[str, Any], site: str) -> Response:
    """The newest published comments of the site, each with its page."""
    owner = ("latest", this_site().id)
    after = read_cursor(query["cursor"], *owner)
    rows = shown.latest(this_site().id, page_id=None, after=after, limit=query["limit"])
    made_of_any_page()
    told = [public.latest(row) for row in rows.rows]
    return shared(answer({"comments": told, "next": write_cursor(rows.next, *owner)}))


@bp.route("/feed.atom")
@bp.arguments(schemas.FeedQuery, location="query")
@bp.response(200, content_type="application/atom+xml", description="RFC 4287.")
@tells(304, headers=("If-None-Match",))
def read_feed(query: dict[str, Any], site: str) -> Response:
    """The newest published comments of the site, or of one page, as Atom."""
    rows, page = [], None
    if query["page"]:
        page = sites.page_at(this_site(), address_of(this_site(), query["page"]).key)
    if page:
        made_of(page.id)
    elif not query["page"]:
        made_of_any_page()
    if page or not query["page"]:
        rows = shown.latest(this_site().id, page_id=page.id if page else None, after=None, limit=50).rows
    xml = feed.atom(this_site(), page, rows, self_url=f"{settings().public_url}{request.full_path.rstrip('?')}")
    return shared(Response(xml, content_type="application/atom+xml; charset=utf-8"))


@bp.route("/preview", methods=["POST"])
@takes(TEXT_BODY)
@per_address("preview")
@bp.arguments(schemas.Preview)
@bp.response(200, schemas.Html)
@tells(403)
def preview(values: dict[str, Any], site: str) -> Response:
    """The exact html that would be published."""
    check_poster(this_site())
    return answer({"html": render(values["body"])})
