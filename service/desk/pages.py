"""How the desk answers: whole pages, fragments for htmx, problems in its own look, and strict headers."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from werkzeug.exceptions import HTTPException

from service.accounts.guard import Principal, principal
from service.accounts.security import FIRST_PAGE, own_page
from service.desk.languages import said
from service.errors import Conflict, Forbidden, Invalid, NotFound, Problem, TooManyRequests, title

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
PLACES = [
    ("desk.queue", _("Queue")),
    ("desk.numbers", _("Numbers")),
    ("desk.sites", _("Sites")),
    ("desk.reasons", _("Reasons")),
    ("desk.rules_of_site", _("Rules")),
    ("team.page", _("Team")),
    ("desk.webhooks", _("Webhooks")),
    ("desk.audit_log", _("Audit log")),
    ("account.page", _("My account")),
]
"""The pages that the desk leads to from everywhere."""
REFUSALS = (Conflict, Forbidden, Invalid, NotFound, TooManyRequests)
"""What is told on a page itself, beside its form."""
_FOR_OWNERS = ("team.page",)
_ORIGIN = re.compile("^https?://[^/?#]*")


def draw(template: str, status: int = 200, **told: Any) -> Response:
    """A page, or the fragment of one that htmx puts in its place."""
    who = _who()
    return make_response(render_template(f"desk/{template}", who=who, places=_places(who), **told), status)


def _places(who: Principal | None) -> list[tuple[str, LazyString]]:
    """The pages that somebody may see on a site at least. Asks no database: it may be away."""
    if who is None or who.is_admin:
        return PLACES if who else []
    views = current_app.view_functions
    owns = "owner" in who.roles.values()
    mine = [one for one in PLACES if who.site_ids(getattr(views[one[0]], "guarded_scope", "read"))]
    return [one for one in mine if owns or one[0] not in _FOR_OWNERS]


def wants_fragment() -> bool:
    return request.headers.get("HX-Request") == "true"


def _who() -> Principal | None:
    try:
        return principal()
    except KeyError:  # nobody has been asked yet
        return None


def problem_page(problem: Problem) -> Response:
    """A problem for a person: where they are, without losing what they see."""
    if problem.status == 401:
        return _to_sign_in()
    if not wants_fragment():
        return draw("problem.html", problem.status, problem=problem, heading=said(title(problem.status).capitalize()))
    answer = draw("say.html", problem.status, problem=problem)
    # Not in place of the item: beside its buttons, where the moderator looks.
    answer.headers["HX-Retarget"] = f"#say-{(request.view_args or {}).get('comment_id', 'page')}"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


def with_headers(answer: Response, problem: Problem) -> Response:
    """A page that tells a problem, answered as the problem is."""
    answer.status_code = problem.status
    answer.headers.update(problem.headers)
    return answer


def _to_sign_in() -> Response:
    """To the sign-in page, and from there back to the page that the person sees now."""
    if not wants_fragment():
        there = _page_at(request.headers.get("Referer", ""))
        return redirect(url_for("security.login", next=there), 303)  # type: ignore[return-value]
    there = _page_at(request.headers.get("HX-Current-URL", ""))
    return Response(status=401, headers={"HX-Redirect": url_for("security.login", next=there)})


def _page_at(address: str) -> str:
    """The page of the desk at an address, or else above it: a refused form is shown at a door that has no page."""
    there, doors = own_page(_ORIGIN.sub("", address)), current_app.url_map.bind("")
    try:
        while doors.match(there.partition("?")[0], "GET")[0] == "desk.nowhere":
            there = there.partition("?")[0].rpartition("/")[0]
    except HTTPException:
        return FIRST_PAGE
    return there


def dress(response: Response) -> Response:
    """Headers of every page below /desk, sign-in among them; files may be kept by the browser."""
    if request.path != "/desk" and not request.path.startswith("/desk/"):
        return response
    response.headers["Content-Security-Policy"] = CSP
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["X-Frame-Options"] = "DENY"
    if request.endpoint != "desk.files.static":
        response.headers["Cache-Control"] = "no-store"
    return response


def init(bp: Blueprint) -> None:
    """Dress every answer of the desk and of sign-in, and serve the stylesheet and scripts to anybody."""
    files = Blueprint("files", __name__, static_folder="static", static_url_path="/static")
    bp.register_blueprint(files)
    bp.after_app_request(dress)
