"""Where owners keep the reasons for which comments of their sites are rejected."""

from __future__ import annotations

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


@bp.route("/reasons")
@guarded("manage")
def reasons() -> Response:
    """The reasons of each site that is mine."""
    return _page()


def _page(status: int = 200, site: str | None = None, rows: Any = None, problem: Problem | None = None) -> Response:
    """`rows`: what was typed for a site, where it could not be taken."""
    found = sites_of(None, "manage")
    kept = queries.reasons_of([one.id for one in found])
    lists = [
        {
            "key": one.key,
            "name": one.name,
            "rows": rows if one.key == site else operations.told(kept[one.id]),
            "seen": operations.etag(kept[one.id]),
            "problem": problem if one.key == site else None,
        }
        for one in found
    ]
    return draw("reasons.html", status, lists=lists)


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
        return _page(422, site.key, rows, errors.of_http(error))
    except StaleVersion as problem:
        return _page(problem.status, site.key, rows, problem)
    return away(url_for("desk.reasons"))


def _read(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    try:
        found: dict[str, Any] = site_schemas.Reasons().load({"reasons": rows})
    except ma.ValidationError as error:
        abort(422, exc=error, messages=error.messages)
    return list(found["reasons"])
