"""A site's settings: change what was seen, and try a policy on what was said already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from service.accounts.principal import Principal, name_of
from service.audit import queries as audit
from service.authors import queries as authors
from service.comments.models import Comment
from service.errors import Problem, StaleVersion, VersionNeeded
from service.rules.policy import PERSON
from service.sites import queries as sites
from service.sites.models import Site
from service.sites.operations import WORD_LISTS, change_site
from service.sites.wordlists import lists_of
from service.spam.rules import Facts, Finding, Ruled
from service.spam.verdict import judge
from service.spam.words import compiled

LAST = 500
"""Comments on which a policy is tried."""
SHOWN = 10
_RULED = {"blocked": "block", "shadowed": "shadow", "held-by-rule": "hold"}
"""What was found of a rule of the site, and what the rule did."""
NOT_KNOWN = (
    "Texts are judged as they are now, not as they were sent.",
    "Somebody counts as known if something under the same token was approved before.",
    "What was refused outright was never kept.",
    "Whom a rule of the site trusts is judged like anybody else.",
)
"""What the stored rows do not tell."""


def etag(site: Site) -> str:
    return f'"v{site.version}"'


def change_settings(site: Site, values: dict[str, Any], who: Principal, if_match: str | None) -> Site:
    """Set some settings of a site that `who` has seen.

    Raises VersionNeeded (428) without If-Match, StaleVersion (412) when somebody changed them since, Invalid (an
    origin that is none) and Conflict (another scale than that of ratings that there are).
    """
    site = sites.locked_site(site.id)
    seen = {one.strip() for one in (if_match or "").split(",")}
    if not if_match:
        raise _told(VersionNeeded("Send If-Match with the version of the settings that you saw."), site)
    if seen.isdisjoint((etag(site), "*")):
        raise _told(StaleVersion("Somebody changed these settings since you looked. Nothing was saved."), site)
    change_site(site, values, actor=who.actor)
    return site


def _told(problem: Problem, site: Site) -> Problem:
    """The problem with who changed the settings last."""
    asked = audit.Asked(subject_id=site.id, action="site.changed")
    for entry, _ in audit.listed([str(site.id)], asked, after=None, limit=1).rows:
        when = f"{entry.at:%-d %B %Y, %H:%M} UTC"
        problem.detail += f" They were changed by {name_of(entry.actor) or entry.actor} on {when}."
    problem.more = {"current": {"version": site.version}}
    problem.headers["ETag"] = etag(site)
    return problem


@dataclass(frozen=True)
class Changed:
    """A comment of which another policy would have made something else."""

    comment: Comment
    now: str
    then: str
    findings: tuple[Finding, ...]
    """Why, by the other policy; none where it would have been published."""


@dataclass(frozen=True)
class Trial:
    """What the policy of now and another one make of the same comments: how many go to which state."""

    judged: int
    now: dict[str, int]
    then: dict[str, int]
    changed: int
    first: list[Changed]


def try_policy(site: Site, values: Mapping[str, Any]) -> Trial:
    """What settings would have done to the last comments of a site. Nothing is changed, whatever they are."""
    rows = authors.last_said(site.id, LAST)
    known = authors.known_since({one.author_id for one in rows})
    lists = lists_of(site)
    typed = {name.removesuffix("_words"): compiled(values[name]) for name in WORD_LISTS & values.keys()}
    policy: dict[str, Any] = {"mode": site.mode, "max_links": site.max_links, "lists": lists}
    other = {name: values.get(name, stands) for name, stands in policy.items()} | {"lists": replace(lists, **typed)}
    now, then, changed = Counter[str](), Counter[str](), []
    for one in rows:
        is_known = one.author_id in known and known[one.author_id] < one.created_at
        before, after = (judge(_facts(one, is_known, each)) for each in (policy, other))
        now[before.status] += 1
        then[after.status] += 1
        if before.status != after.status:
            changed.append(Changed(one, before.status, after.status, after.findings))
    return Trial(len(rows), dict(now), dict(then), len(changed), changed[:SHOWN])


def _facts(one: Comment, known: bool, policy: Mapping[str, Any]) -> Facts:
    """What the rules would know of a stored comment.

    What only its door or that moment knew is known by what was found then, which no policy has a part in.
    """
    found = {reason.code for reason in one.reasons}
    return Facts(
        body=one.body,
        name=one.name,
        **policy,
        known_author=known,
        honeypot="filled" if "honeypot" in found else "",
        form_age=0.0 if "too-fast" in found else None,
        is_form="no-form-token" in found,
        null_origin="null-origin" in found,
        too_many_by_email="email-flood" in found,
        same_text_by_email="email-duplicate" in found,
        rated_by_email="second-rating" in found,
        ruled=tuple(Ruled(PERSON, effect, "", is_proven=True) for code, effect in _RULED.items() if code in found),
    )
