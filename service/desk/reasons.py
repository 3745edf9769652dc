"""Where owners keep the reasons for which comments of their sites are rejected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import marshmallow as ma
from flask import Response, url_for
from webargs.flaskparser import abort
from werkzeug.exceptions import UnprocessableEntity

from service import errors
from service.accounts.guard import guarded, principal
from service.db import transaction
from service.desk import schemas
from service.desk.pages import draw
from service.desk.ui import away, bp, parser
from service.errors import Problem, StaleVersion
from service.moderation import site_schemas
from service.moderation.scope import site_of, sites_of
from service.sites import queries
from service.sites import reasons as operations
from service.sites.models import RejectReason, Site


@bp.route("/reasons")
@guarded("manage")
def reasons() -> Response:
    """The reasons of each site that is mine."""
    return _page()


def _page(status: int = 200, typed: Mapping[str, Any] | None = None, problem: Problem | None = None) -> Response:
    """`typed`: what a form sent that could not be taken, the rows of its list read as such."""
    found = sites_of(None, "manage")
    kept = queries.reasons_of([one.id for one in found])
    lists = [_list(one, kept[one.id]) for one in found]
    for one in lists:
        if typed and one["key"] == typed["site"]:
            one |= _refused(one, typed, problem)
    return draw("reasons.html", status, lists=lists)


def _list(site: Site, kept: Sequence[RejectReason]) -> dict[str, Any]:
    return {"key": site.key, "name": site.name, "rows": operations.told(kept), "seen": operations.etag(kept)}


def _refused(stands: dict[str, Any], typed: Mapping[str, Any], problem: Problem | None) -> dict[str, Any]:
    """What was typed in the place of what stands; once that is another list, beside it: only then it counts as seen."""
    told = {"rows": typed["rows"], "problem": problem}
    if isinstance(problem, StaleVersion):
        return told | {"stands": [row for row in stands["rows"] if row not in typed["rows"]]}
    return told | {"seen": typed["seen"] or stands["seen"]}


@bp.route("/reasons", methods=["POST"])
@guarded("manage")
def replace_reasons() -> Response:
    """Keep a list as it was typed; one that cannot be taken stays in the form."""
    values = parser.parse(schemas.Reasons(), location="form")
    site = site_of(values["site"], "manage")
    names = ("code", "title", "sentence")
    lines = zip(*(values[name] for name in names), strict=False)
    rows = [dict(zip(names, line, strict=True)) for line in lines if any(one.strip() for one in line)]
    try:
        wanted = [operations.Wanted(**one) for one in _read(rows)]
        with transaction():
            site = site_of(values["site"], "manage")  # as it is by now: a role can go while this waits for its turn
            operations.replace(site, wanted, actor=principal().actor, if_match=values["seen"])
    except UnprocessableEntity as error:
        return _page(422, values | {"rows": rows}, errors.of_http(error))
    except StaleVersion as problem:
        return _page(problem.status, values | {"rows": rows}, problem)
    return away(url_for("desk.reasons"))


def _read(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    try:
        found: dict[str, Any] = site_schemas.Reasons().load({"reasons": rows})
    except ma.ValidationError as error:
        abort(422, exc=error, messages=error.messages)
    return list(found["reasons"])
