"""Why comments of a site are rejected: the list that its owners keep."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.audit.operations import Deed, record
from service.db import db, now
from service.errors import StaleVersion
from service.sites import queries
from service.sites.models import RejectReason, Site
from service.sites.policy import REJECT_REASONS


@dataclass(frozen=True)
class Wanted:
    """A reason as an owner wants it."""

    code: str
    title: str
    sentence: str


def add_usual(site: Site) -> None:
    """Give a new site the reasons that most sites need."""
    for place, (code, (title, sentence)) in enumerate(REJECT_REASONS.items()):
        db.session.add(RejectReason(site_id=site.id, code=code, place=place, title=title, sentence=sentence))
    db.session.flush()


def told(reasons: Iterable[RejectReason | Wanted]) -> list[dict[str, Any]]:
    return [{"code": one.code, "title": one.title, "sentence": one.sentence} for one in reasons]


def etag(reasons: Iterable[RejectReason]) -> str:
    return f'"{hashlib.sha256(json.dumps(told(reasons)).encode()).hexdigest()[:16]}"'


def replace(site: Site, wanted: Sequence[Wanted], *, actor: str, if_match: str | None) -> None:
    """Put a list of reasons in the place of a site's own. What is not on it is retired.

    Raises StaleVersion (412) when somebody changed the list since it was seen.
    """
    had = queries.every_reason(site.id)
    offered = [one for one in had.values() if one.retired_at is None]
    if if_match not in (None, "*", etag(offered)):
        raise StaleVersion("Somebody changed the list since you looked. Nothing was changed.")
    before = told(offered)
    if before == told(wanted):
        return
    _store(site, wanted, had)
    record(Deed("reasons.changed", actor, site.id, site.id, {"before": before, "after": told(wanted)}))


def _store(site: Site, wanted: Sequence[Wanted], had: Mapping[str, RejectReason]) -> None:
    for one in had.values():
        one.retired_at = one.retired_at or now()
    for place, new in enumerate(wanted):
        row = had.get(new.code) or RejectReason(site_id=site.id, code=new.code)
        row.place, row.title, row.sentence, row.retired_at = place, new.title, new.sentence, None
        db.session.add(row)
    db.session.flush()
