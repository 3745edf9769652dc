"""Make, change, end and forget rules, and find those that a submission falls under."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from service.audit.operations import Deed, forget_details, record
from service.db import db, new_id, now
from service.errors import Conflict, Invalid, NotFound
from service.rules import queries
from service.rules.addresses import domain_of, ranges_around, upwards
from service.rules.models import Rule
from service.rules.policy import CIDR, DOMAIN, LINK_HOST, NETWORK, PERSON
from service.sites.models import Site
from service.spam.rules import Ruled

_LONGEST = timedelta(days=36_500)
_SAME = "There is this rule already. Change its end, or remove it first."
_PROVEN = (PERSON, NETWORK, CIDR)
"""What nobody can merely claim: who holds a token, and where something came from."""


@dataclass(frozen=True)
class Target:
    """Whom or what a rule is about: see Rule."""

    kind: str
    value: str
    email_index: bytes | None = None
    comment_id: UUID | None = None


@dataclass(frozen=True)
class Terms:
    """What a rule does, until when, and why."""

    effect: str
    until: datetime | None = None
    note: str = ""


@dataclass(frozen=True)
class Maker:
    """Who makes a rule: for the audit log, and by name."""

    actor: str
    name: str


@dataclass(frozen=True)
class Arrival:
    """What tells the rules that a submission falls under. `author_id`: only of somebody who showed their token."""

    site_id: UUID
    ip: str
    network: str | None
    email: str
    email_index: bytes | None
    author_id: UUID | None
    hosts: Collection[str]


def fallen_under(what: Arrival) -> tuple[Ruled, ...]:
    """The rules that a submission falls under, the oldest first."""
    sought: dict[str, set[str]] = {
        PERSON: {what.author_id.hex} if what.author_id else set(),
        DOMAIN: upwards(domain_of(what.email)),
        NETWORK: {what.network} if what.network else set(),
        CIDR: ranges_around(what.ip),
        LINK_HOST: {above for host in what.hosts for above in upwards(host)},
    }
    found = queries.matching(what.site_id, set[str]().union(*sought.values()), what.email_index)
    hits = ((one, one.value in sought[one.kind]) for one in found)
    return tuple(
        Ruled(one.kind, one.effect, one.value, is_proven=is_told and one.kind in _PROVEN)
        for one, is_told in hits
        if is_told or one.email_index == what.email_index
    )


def add(site: Site, about: Target, terms: Terms, by: Maker) -> Rule:
    """A new rule. Invalid when its end is no time to come, Conflict when there is the same already."""
    until = _end(terms.until)
    if about.kind == PERSON:
        _check_person(site, about, terms.effect)
    row = {
        "id": new_id(), "site_id": site.id, "kind": about.kind, "value": about.value, "effect": terms.effect,
        "email_index": about.email_index, "comment_id": about.comment_id, "note": terms.note, "until": until,
        "created_at": now(), "created_by": by.actor, "created_name": by.name,
    }  # fmt: skip
    if not queries.add(row):
        raise Conflict(_SAME)
    rule = db.session.get_one(Rule, row["id"])
    record(Deed("rule.added", by.actor, site.id, rule.id, _told(rule)))
    return rule


def _end(until: datetime | None) -> datetime | None:
    if until is None:
        return None
    if not now() < until < now() + _LONGEST:
        raise Invalid.field("until", "until", "Name a time to come, a hundred years from now at most.")
    return until.astimezone(UTC)


def _check_person(site: Site, about: Target, effect: str) -> None:
    """A person may have several tokens and one address: they are the same when either is."""
    known = queries.matching(site.id, [about.value], about.email_index)
    if any(one.kind == PERSON and one.effect == effect for one in known):
        raise Conflict(_SAME)


def _told(rule: Rule) -> dict[str, str | None]:
    """A rule as the audit log tells it: never by what tells a person or their network again."""
    return {
        "kind": rule.kind,
        "effect": rule.effect,
        "value": None if rule.kind in (PERSON, NETWORK) else rule.value,
        "comment": str(rule.comment_id) if rule.comment_id else None,
        "until": rule.until.isoformat() if rule.until else None,
        "note": rule.note or None,
    }


def find(rule_id: UUID, sites: Collection[UUID] | None) -> Rule:
    """A rule of one of these sites, locked. NotFound also when its end has come."""
    rule = queries.rule(rule_id, sites)
    if rule is None:
        raise NotFound("There is no rule by that id.")
    return rule


def change_end(rule: Rule, until: datetime | None, *, actor: str) -> None:
    """Let a rule end at another time, or never. Invalid when that is no time to come."""
    until = _end(until)
    if until == rule.until:
        return
    rule.until = until
    db.session.flush()
    record(Deed("rule.changed", actor, rule.site_id, rule.id, _told(rule)))


def remove(rule: Rule, *, actor: str) -> None:
    record(Deed("rule.removed", actor, rule.site_id, rule.id, _told(rule)))
    db.session.delete(rule)
    db.session.flush()


def forget_author(site_id: UUID, author_id: UUID, comment_ids: Sequence[UUID]) -> None:
    """Take what moderators wrote about an author, whose comments these were, off the rules about them.

    What told them by their token goes with it. A rule that tells them by an address stays: anybody may have typed that,
    and so nobody ends it by having their comments erased.
    """
    rules = {one.id: one for one in queries.about(site_id, author_id, comment_ids)}
    forget_details(list(rules))
    for rule in rules.values():
        rule.note, rule.comment_id = "", None
        if rule.kind == PERSON and rule.email_index is None:
            db.session.delete(rule)
    db.session.flush()


def forget_ended(limit: int = 1_000) -> int:
    """Forget rules whose end has come; how many."""
    return queries.forget_ended(now(), limit)
