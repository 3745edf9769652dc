"""Sites at the desk: every setting with a sentence, and what a policy would have done before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, redirect, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from service.accounts.guard import guarded, principal
from service.db import transaction
from service.desk import schemas, views, words
from service.desk.pages import draw
from service.desk.ui import bp, parser
from service.doors import LIST_BODY, takes
from service.errors import Conflict, Invalid, Problem, StaleVersion, VersionNeeded
from service.moderation import policies
from service.moderation.policies import Trial
from service.moderation.scope import site_of, sites_of
from service.sites.models import Site
from service.sites.policy import SCHEMA_TYPES
from service.sites.schemas import load_settings


@dataclass(frozen=True)
class Setting:
    """A field of the form: what it is called, the sentence that explains it, and how it is typed."""

    name: str
    label: LazyString
    told: LazyString
    kind: str = "text"
    """text, optional (empty for none), lines, choice, number (empty for none), count (never empty), check."""
    choices: tuple[tuple[str, LazyString | str], ...] = ()


SETTINGS = (
    Setting("name", _("Name"), _("What people call the site. Visitors see it in feeds and above replies of yours.")),
    Setting(
        "mode", _("Policy"),
        _("What waits for a moderator. Whatever the policy, what a rule finds suspicious waits, too."), "choice",
        tuple(words.MODES.items()),
    ),
    Setting(
        "target_age_minutes", _("Target age, in minutes"),
        _("How long a comment may wait. When the oldest waits longer, the desk and an event say so. Empty: no target."),
        "number",
    ),
    Setting(
        "hold_after_reports", _("Reports that hold a comment"),
        _("After so many reports of readers a published comment waits again. Empty: reports alone hide nothing."),
        "number",
    ),
    Setting(
        "hold_words", _("Words that hold a comment"),
        _("A word or a phrase a line. A comment that holds one waits. A star at the end stands for any ending."),
        "lines",
    ),
    Setting(
        "spam_words", _("Words that make a comment spam"),
        _("A word or a phrase a line. A comment that holds one is spam, and its author is not told."), "lines",
    ),
    Setting(
        "max_links", _("Links that hold no comment"),
        _("A comment with more links than this waits. 0: any link holds it. Empty: links alone hold nothing."),
        "number",
    ),
    Setting(
        "limit_submit", _("Limit for each sender"),
        _("Comments from one internet address, such as 6/minute;60/hour. Empty: as the operator of Greenroom set it."),
        "optional",
    ),
    Setting(
        "limit_page", _("Limit for each page"),
        _("Comments on one page from everybody, such as 30/minute. Empty: as the operator of Greenroom set it."),
        "optional",
    ),
    Setting(
        "limit_site", _("Limit for the site"),
        _("Comments on all pages together, such as 120/minute. Empty: as the operator of Greenroom set it."),
        "optional",
    ),
    Setting(
        "origins", _("Origins"),
        _("The pages that may show and send comments, such as https://example.org: one a line, the main one first."),
        "lines",
    ),
    Setting(
        "close_after_days", _("Closing, in days"),
        _("So many days after it was opened a page takes no comments any more. Empty: it stays open."), "number",
    ),
    Setting(
        "depth", _("Depth of replies"), _("Levels that are shown indented, 2 to 10. Deeper replies stand flat below."),
        "count",
    ),
    Setting(
        "rating_max", _("Best rating"),
        _("Visitors may rate up to this number, such as 5 or 10. Empty: no ratings. Once there are ratings it stays."),
        "number",
    ),
    Setting("rating_halves", _("Half steps"), _("Visitors may rate in halves, such as 3.5."), "check"),
    Setting(
        "schema_type", _("What the pages review"),
        _("So search engines can show the average. Without a type, ratings are shown on your pages only."), "choice",
        tuple((one, one or _("nothing")) for one in SCHEMA_TYPES),
    ),
    Setting(
        "language", _("Language"),
        _("In which the form and the thread speak, as a code: en, de, fr, pt-BR. A page can ask for another one."),
    ),
    Setting(
        "privacy_text", _("Privacy line"),
        _("Stands below the form. Empty: a line that says what is kept, for whom and how long."),
    ),
    Setting(
        "privacy_url", _("Privacy page"), _("Where the privacy line leads, with https://. Empty: nowhere."), "optional",
    ),
    Setting(
        "retention_days", _("Retention, in days"),
        _("For so long e-mail addresses and network labels are kept. Then they are deleted; the comments stay."),
        "count",
    ),
)  # fmt: skip
"""In the order of the page. A test holds them to the settings that there are."""
_TOLD = 5
"""Wrong lines of a list that are told at once."""


@bp.route("/sites")
@guarded("read")
def sites() -> Response:
    """The sites on which I have a role."""
    rows = [{"site": one, "role": principal().role_on(one.id)} for one in sites_of(None, "read")]
    return draw("sites.html", rows=rows, modes=words.MODES, roles=words.ROLES)


@bp.route("/sites/<site>")
@guarded("read")
def site_settings(site: str) -> Response:
    """The settings of a site; those who may not change them see them all the same."""
    asked = parser.parse(schemas.Saved(), location="query")
    found = site_of(site, "read")
    return _page(found, _as_typed(found), is_saved=asked["saved"])


@bp.route("/sites/<site>", methods=["POST"])
@takes(LIST_BODY)
@guarded("manage")
def set_site(site: str) -> Response:
    """Save the settings, or show what they would have done. What was typed stays until it is saved."""
    sent, typed = parser.parse(schemas.Settings(), location="form"), _typed(request.form)
    found = site_of(site, "manage")
    try:
        values = load_settings(_values(typed))
        if sent["deed"] == "preview":
            return _page(found, typed, trial=policies.try_policy(found, values), seen=sent["seen"])
        with transaction():
            policies.change_settings(site_of(site, "manage"), values, principal(), sent["seen"])
    except (Invalid, Conflict) as problem:
        return _page(site_of(site, "manage"), typed, problem=problem, seen=sent["seen"])
    except (StaleVersion, VersionNeeded) as problem:
        return _page(site_of(site, "manage"), typed, problem=problem, is_stale=True)
    answer: Response = redirect(url_for("desk.site_settings", site=site, saved="true"), 303)  # type: ignore[assignment]
    return answer


def _typed(form: Mapping[str, str]) -> dict[str, str]:
    """Each setting as it stands in the form; an empty box is not sent at all."""
    return {one.name: form.get(one.name, "") for one in SETTINGS}


def _values(typed: Mapping[str, str]) -> dict[str, Any]:
    """What was typed as the shape of settings takes it."""
    return {one.name: _value(one.kind, typed[one.name].strip()) for one in SETTINGS}


def _value(kind: str, text: str) -> Any:
    if kind == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if kind == "check":
        return bool(text)
    return (text or None) if kind in ("number", "optional") else text


def _as_typed(site: Site) -> dict[str, str]:
    """The settings as somebody would have typed them."""
    return {one.name: _text(getattr(site, one.name)) for one in SETTINGS}


def _wrong(problem: Problem | None, typed: Mapping[str, str]) -> dict[str, list[tuple[int | None, str]]]:
    """What is wrong with each field; of a list, in which line, as people count them."""
    found: dict[str, list[tuple[int | None, str]]] = {}
    for path, texts in ((problem and problem.errors) or {}).items():
        name, _, item = path.partition(".")
        lines = [n for n, text in enumerate(typed.get(name, "").splitlines(), 1) if text.strip()]
        line = lines[int(item)] if item.isdigit() else None
        found.setdefault(name, []).extend((line, text["detail"]) for text in texts)
    return {name: told[:_TOLD] for name, told in found.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, list):
        return "\n".join(value)
    return f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)


def _page(
    site: Site, typed: dict[str, str], *, problem: Problem | None = None, trial: Trial | None = None, **told: Any
) -> Response:
    """The form with what was typed. After somebody else was faster, what stands now is told beside it."""
    stands = _as_typed(site) if told.pop("is_stale", False) else typed
    return draw(
        "site.html",
        problem.status if problem else 200,
        site=site,
        settings=SETTINGS,
        typed=typed,
        stands={name: text for name, text in stands.items() if text != typed[name]},
        may=principal().may(site.id, "manage"),
        problem=problem,
        wrong=_wrong(problem, typed),
        trial=views.trial(trial) if trial else None,
        **{"seen": policies.etag(site), "is_saved": False} | told,
    )
