"""Decisions on many comments in words: how many were decided, and what became of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext, ngettext

from service.accounts.guard import Principal
from service.desk import words
from service.desk.views import brief
from service.moderation import bulk, queries
from service.moderation.decisions import queries as decisions
from service.moderation.models import BulkDecision
from service.moderation.operations import NO_REASON

SHOWN_OF_MANY = 100
"""Comments of a decision on many that are told one by one."""


def many(found: BulkDecision, who: Principal) -> dict[str, Any]:
    """A decision on many, in a sentence: how many were decided, and what of the others."""
    told = bulk.progress(found)
    is_undone = told.state in ("undoing", "undone")
    did = words.brought_back(told.done, told.total) if is_undone else words.did(found.decision, told.done)
    return {
        "id": found.id,
        "state": told.state,
        "total": told.total,
        "tried": told.done + len(told.results),
        "told": did,
        "others": _others(told.results, who) + _untried(told),
        "can_undo": told.state == "working" or (told.state == "done" and _stands(found, who)),
    }


def _untried(told: bulk.Progress) -> list[str]:
    """How many the end found unlike what they were at the beginning: `2 were not tried`."""
    number = told.total - told.done - len(told.results)
    is_over = told.state in ("done", "undone")
    return [ngettext("%(num)s was not tried", "%(num)s were not tried", number)] if is_over and number > 0 else []


def _stands(found: BulkDecision, who: Principal) -> bool:
    """Whether anything is left of a decision that could be undone."""
    return bool(decisions.decided_by(found.id, who.site_ids("moderate"), limit=1))


def many_refused(results: Sequence[Mapping[str, Any]], who: Principal) -> str:
    """Why nothing came of a decision on many."""
    return gettext("Nothing was changed: %(why)s.", why=", ".join(_others(results, who)))


def _others(results: Sequence[Mapping[str, Any]], who: Principal) -> list[str]:
    """`2 were decided by Ada meanwhile`: what was refused, by whoever was there before, or for what it lacks."""
    refused = [one for one in results if one.get("problem")]
    lacking = sum(one["problem"] == NO_REASON for one in refused)
    meanwhile = (one for one in refused if one["problem"] != NO_REASON)
    by = Counter("" if one.get("by_actor") == who.actor else one.get("by") for one in meanwhile)
    told = [words.came_before(name, number) for name, number in by.most_common()]
    return told + ([words.without_reason(lacking)] if lacking else [])


def each_of_many(found: BulkDecision, who: Principal) -> dict[str, Any]:
    """The same with what became of the first hundred of each kind."""
    refused = {UUID(one["id"]): one["problem"] for one in found.results[:SHOWN_OF_MANY]}
    done = decisions.decided_by(found.id, who.sites, limit=SHOWN_OF_MANY) if found.done else []
    rows = queries.some([*refused, *done], who.sites)
    return many(found, who) | {
        "refused": [brief(one, rows.get(one)) | {"problem": problem} for one, problem in refused.items()],
        "each": [brief(one, rows.get(one)) for one in done],
        "more": max(0, found.done - SHOWN_OF_MANY),
    }
