"""The doors: a thread as a page or a fragment, its form, and where the form is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, redirect, request, url_for

from service.comments import formtoken
from service.comments.operations import Sender
from service.comments.rendering import render
from service.comments.routes import accept, address_of, count_sender
from service.db import now
from service.doors import TEXT_BODY, conditional, sender_ip, settings, takes
from service.embed import demo, drawing, forms, mine, pages, schemas
from service.embed.section import Links, compose
from service.errors import WrongMediaType
from service.idempotency.operations import Answer
from service.limits import spend
from service.privacy.seal import rate_key
from service.readcache import Hole
from service.sites import queries as sites
from service.sites.addresses import safe_redirect
from service.sites.origins import allow_origin, check_poster, find_site, own_origin, this_site
from service.sites.sharing import shared
from service.sites.terms import why_closed

bp = Blueprint("embed", __name__, template_folder="templates")
bp.after_request(allow_origin)
bp.add_url_rule("/", "home", demo.home)
bp.before_app_request(demo.miss_imported)
bp.add_url_rule("/mine", "mine", mine.entry)
bp.add_url_rule("/mine", mine.DOOR.partition(".")[2], mine.manage, methods=["POST"])


@bp.url_value_preprocessor
def arrive(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Look the site up, where the address names one."""
    if "site" in (values or {}):
        find_site(endpoint, values)
        g.embed_terms = forms.Terms.of(this_site())


@bp.route("/style/<digest>/<name>")
def asset(digest: str, name: str) -> Response:
    """A style sheet or a font, for ever under the present digest."""
    return drawing.asset(digest, name)


@bp.route("/embed/<site>")
def thread(site: str) -> Response:
    """The published comments of a page and the form, without JavaScript; `fragment=1` without a page around."""
    query = pages.asked(schemas.ThreadQuery())
    if query["fragment"]:
        query["redirect_to"] = query["redirect_to"] or address_of(this_site(), query["page"]).url or ""
    section = compose(this_site(), pages.terms(), query, _links(query))
    template = "fragment.html" if query["fragment"] else "thread.html"
    drawn = drawing.draw(template, origins=section.terms.origins, section=section)
    over = _half_life_over()
    drawn.set_etag(_tag(drawn, section.form.token, over), weak=True)
    if not set(request.args) <= set(query):  # what an address says beside may be said in a million ways
        return conditional(drawn)
    if section.form.token is None:
        return shared(drawn)
    fresh = formtoken.issuer(this_site())
    hole = Hole(section.form.token.encode(), lambda: fresh().encode())
    return shared(drawn, hole=hole, until=over)


def _links(query: dict[str, Any]) -> Links:
    kept = {name: query[name] or None for name in ("page", "page_title", "redirect_to", "lang")}
    place = kept | {"site": this_site().key}
    if query["fragment"]:
        return Links("embed.thread", place, reply_endpoint="embed.form", absolute=True)
    return Links("embed.thread", place | {"sort": query["sort"] if query["sort"] != "oldest" else None})


def _half_life_over() -> datetime:
    """When the half life of tokens that runs now is over: a page that anybody has kept is drawn anew then."""
    seconds = settings().form_max_hours * 1800
    return datetime.fromtimestamp((now().timestamp() // seconds + 1) * seconds, UTC)


def _tag(drawn: Response, token: str | None, over: datetime) -> str:
    """An ETag for what the page says. The form's token differs each time, so it is left out; that a kept page
    never has one that is too old, the half life in which it was drawn goes in."""
    text = drawn.get_data().replace((token or "\0").encode(), b"")
    return drawing.digest(text + (str(over) if token else "").encode())


@bp.route("/embed/<site>/form")
def form(site: str) -> Response:
    """The form by itself, fresh."""
    query = pages.asked(schemas.FormQuery())
    why = why_closed(sites.page_at(this_site(), address_of(this_site(), query["page"]).key))
    if why:
        return pages.closed_page(why, query["page"])
    values = {name: query[name] for name in ("page", "page_title", "redirect_to")}
    parent = {"parent_id": str(query["reply"])} if query["reply"] else {}
    cancel = url_for("embed.form", site=site, **{name: value or None for name, value in values.items()})
    return pages.form_page(forms.Typed(values | parent), cancel=cancel)


@bp.route("/embed/<site>/comments", methods=["POST"])
@takes(TEXT_BODY)
def create(site: str) -> Response:
    """Take a plain form, ours or one made for WordPress, and lead the browser back (303)."""
    if request.mimetype not in forms.FORM_TYPES:
        raise WrongMediaType(f"Send a form: {' or '.join(forms.FORM_TYPES)}.")
    typed = forms.read(request.form)
    null_origin = check_poster(this_site(), null_allowed=True)
    if typed.wants_preview:
        spend(settings().limit_preview, "preview", rate_key(sender_ip()))
        return pages.form_page(typed, preview=render(forms.previewed(typed)))
    count_sender(this_site())
    values = forms.submission(this_site(), typed)
    signs = {
        "honeypot": typed.honeypot,
        "form_age": formtoken.age(this_site(), typed.token, max_hours=settings().form_max_hours),
        "is_form": True,
        "null_origin": null_origin,
    }
    done = accept(this_site(), values, Sender(sender_ip(), signs=signs))
    return drawing.private(redirect(_destination(typed, done), 303))  # type: ignore[arg-type]


def _destination(typed: forms.Typed, done: Answer) -> str:
    """Back to where the form says, if that is the site's; else to the thread's page here."""
    published = done.body["status"] == "approved"
    anchor = f"comment-{done.body['id']}" if published else "greenroom"
    wanted = typed.values.get("redirect_to", "")
    target = safe_redirect(wanted, origins=pages.terms().origins, own=own_origin())
    if target is None:
        posted = "approved" if published else "held"
        return url_for("embed.thread", site=this_site().key, page=typed.values["page"], posted=posted, _anchor=anchor)
    parts = urlsplit(target)
    kept = [part for part in parts.query.split("&") if part and not part.startswith("greenroom=")]
    query = "&".join(kept if published else [*kept, "greenroom=held"])
    return parts._replace(query=query, fragment=anchor).geturl()
