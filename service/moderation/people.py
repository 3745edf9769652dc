"""Who writes on a site, as its moderators know them, and what the site decides about them in advance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.accounts.principal import Principal
from service.authors import queries as authors
from service.comments.models import Comment
from service.errors import Invalid
from service.moderation.operations import find, masked_email
from service.rules import operations as rules
from service.rules import queries as rule_queries
from service.rules.addresses import BadValue, domain_of, normal, upwards
from service.rules.models import Rule
from service.rules.operations import Maker, Target, Terms
from service.rules.policy import NETWORK, PERSON
from service.sites.models import Site

BY_MODERATORS = (PERSON, NETWORK)
"""Kinds of rules that whoever moderates may make from a comment, change and remove; all else is for owners."""


@dataclass(frozen=True)
class Person:
    """What is known of whoever wrote a comment: with the same address on its site, or else the same token."""

    comment: Comment
    names: Sequence[str]
    networks: Sequence[str]
    counts: dict[str, int]
    first_seen: datetime
    last_seen: datetime
    rules: Sequence[Rule]


def known(comment: Comment) -> Person:
    """The person of a comment, with the rules that stand about them, their domain and their networks."""
    theirs = authors.same_person(comment.id)
    counts, first, last = authors.record_of(theirs)
    names, networks = authors.names_of(theirs), authors.networks_of(theirs)
    domain = domain_of(masked_email(comment) or "")
    told = {comment.author_id.hex, *networks, *(upwards(domain) if domain else ())}
    found = rule_queries.matching(comment.site_id, told, comment.email_index)
    rules = rule_queries.some([one.id for one in found if one.kind != "link_host"])
    return Person(comment, names, networks, counts, first, last, rules)


def rule_from(comment_id: UUID, kind: str, terms: Terms, who: Principal) -> Rule:
    """A rule about the person of a comment, or the network it came from.

    Invalid when a comment names no such thing, or its network is forgotten already; else as rules.operations.add.
    """
    comment = find(comment_id, who, "moderate")
    if kind == PERSON:
        about = Target(PERSON, comment.author_id.hex, comment.email_index, comment.id)
    elif comment.network_label is None:
        raise Invalid.field("comment", "network", "The network of this comment is forgotten, or was never known.")
    else:
        about = Target(NETWORK, comment.network_label, comment_id=comment.id)
    return rules.add(comment.site, about, terms, _maker(who))


def rule_about(site: Site, kind: str, value: str, terms: Terms, who: Principal) -> Rule:
    """A rule about a domain, a range, a host or a label that an owner typed. Raises Invalid, Forbidden, Conflict."""
    who.require(site.id, "manage")
    try:
        about = Target(kind, normal(kind, value))
    except BadValue as error:
        raise Invalid.field("value", "value", str(error)) from error
    return rules.add(site, about, terms, _maker(who))


def _maker(who: Principal) -> Maker:
    return Maker(who.actor, who.name)


def scope_of(rule: Rule) -> str:
    """What it takes to change a rule or to remove it."""
    return "moderate" if rule.kind in BY_MODERATORS else "manage"


def change_end(rule_id: UUID, until: datetime | None, who: Principal) -> Rule:
    """Let a rule end at another time, or never. Raises NotFound, Forbidden, Invalid."""
    rule = _mine(rule_id, who)
    rules.change_end(rule, until, actor=who.actor)
    return rule


def remove(rule_id: UUID, who: Principal) -> None:
    """End a rule at once. Raises NotFound, Forbidden."""
    rules.remove(_mine(rule_id, who), actor=who.actor)


def _mine(rule_id: UUID, who: Principal) -> Rule:
    rule = rules.find(rule_id, who.sites)
    who.require(rule.site_id, scope_of(rule))
    return rule
