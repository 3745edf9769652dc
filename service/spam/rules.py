"""One function a rule: facts in, a finding or None out. No database, no clock, no network."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.spam.words import Lists

HOLD, SPAM = "hold", "spam"


@dataclass(frozen=True)
class Ruled:
    """A rule of the site that a submission falls under: `block`, `hold`, `shadow` or `trust`.

    `is_proven`: what it is about was not merely claimed, as everything is that somebody types.
    """

    kind: str
    effect: str
    value: str
    is_proven: bool


@dataclass(frozen=True)
class Facts:
    """What the rules may know about a submission."""

    body: str
    mode: str
    """The site's policy: pre, post or first_timers."""
    known_author: bool = False
    """A token was shown whose holder has an approved comment. A typed address never makes one known."""
    honeypot: str = ""
    form_age: float | None = None
    """Seconds since the form was drawn; None when it has no (valid) time token."""
    is_form: bool = False
    form_min_seconds: float = 3.0
    null_origin: bool = False
    too_many_by_email: bool = False
    same_text_by_email: bool = False
    rated_by_email: bool = False
    name: str = ""
    lists: Lists = Lists()
    """The site's words."""
    max_links: int | None = 1
    """How many links hold no comment of the site; None: however many there are."""
    ruled: tuple[Ruled, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a rule found: how bad, a code for machines, a sentence for moderators."""

    weight: str
    code: str
    detail: str
    risk: int = 0
    """How much this counts when the queue is sorted by risk."""


def blocked(facts: Facts) -> Finding | None:
    rule = _rule(facts, "block")
    if rule is None:
        return None
    return Finding(SPAM, "blocked", f"A rule of this site blocks this. {_about(rule)}", risk=10)


def shadowed(facts: Facts) -> Finding | None:
    """Who is blocked as well waits like anybody else who is."""
    rule = None if _rule(facts, "block") else _rule(facts, "shadow")
    if rule is None:
        return None
    told = "Its author is told that this is published, and nobody else sees it."
    return Finding(SPAM, "shadowed", f"{told} {_about(rule)}", risk=10)


def held_by_rule(facts: Facts) -> Finding | None:
    rule = _rule(facts, "hold")
    if rule is None:
        return None
    return Finding(HOLD, "held-by-rule", f"A rule of this site holds this. {_about(rule)}", risk=3)


def honeypot_filled(facts: Facts) -> Finding | None:
    if not facts.honeypot:
        return None
    return Finding(SPAM, "honeypot", "A field that people do not see was filled in.", risk=10)


def too_fast(facts: Facts) -> Finding | None:
    if facts.form_age is None or facts.form_age >= facts.form_min_seconds:
        return None
    return Finding(HOLD, "too-fast", f"The form was sent after {facts.form_age:.1f} seconds.", risk=4)


def no_form_token(facts: Facts) -> Finding | None:
    if not facts.is_form or facts.form_age is not None:
        return None
    return Finding(HOLD, "no-form-token", "The form carried no fresh time token.", risk=1)


def unknown_origin(facts: Facts) -> Finding | None:
    if not facts.null_origin:
        return None
    return Finding(HOLD, "null-origin", "The browser did not say which page the form was on.", risk=2)


def flood_by_email(facts: Facts) -> Finding | None:
    if not facts.too_many_by_email:
        return None
    return Finding(HOLD, "email-flood", "Many comments came with this e-mail address.", risk=5)


def repeated_by_email(facts: Facts) -> Finding | None:
    if not facts.same_text_by_email:
        return None
    return Finding(HOLD, "email-duplicate", "The same text came with this e-mail address before.", risk=4)


def second_rating(facts: Facts) -> Finding | None:
    if not facts.rated_by_email:
        return None
    return Finding(HOLD, "second-rating", "This e-mail address has rated the page before.", risk=2)


def many_links(facts: Facts) -> Finding | None:
    links = len(_LINK.findall(facts.body))
    if facts.max_links is None or links <= facts.max_links:
        return None
    return Finding(HOLD, "links", "The text holds a link." if links == 1 else f"The text holds {links} links.", risk=3)


def spam_word(facts: Facts) -> Finding | None:
    found = facts.lists.spam.found_in(f"{facts.name}\n{facts.body}")
    return Finding(SPAM, "spam-word", f"The site lists “{found}” as spam.", risk=10) if found else None


def held_word(facts: Facts) -> Finding | None:
    found = facts.lists.hold.found_in(f"{facts.name}\n{facts.body}")
    return Finding(HOLD, "held-word", f"The site holds what says “{found}”.", risk=4) if found else None


def moderated_site(facts: Facts) -> Finding | None:
    if _is_trusted(facts):
        return None
    if facts.mode == "pre":
        return Finding(HOLD, "pre-moderation", "Every comment of this site waits for a moderator.")
    if facts.mode == "first_timers" and not facts.known_author:
        return Finding(HOLD, "first-timer", "The first comment of somebody waits for a moderator.", risk=1)
    return None


def _is_trusted(facts: Facts) -> bool:
    """A domain or a link is typed by whoever likes: it makes trusted only who was approved before, and proves that."""
    trusted = (one for one in facts.ruled if one.effect == "trust")
    return any(one.is_proven or (facts.known_author and one.kind != "person") for one in trusted)


def _rule(facts: Facts, effect: str) -> Ruled | None:
    return next((one for one in facts.ruled if one.effect == effect), None)


def _about(rule: Ruled) -> str:
    """What a rule is about. Neither label nor range: they would outlive what is kept of where a comment came from."""
    return _ABOUT[rule.kind].format(rule.value)


_ABOUT = {
    "person": "The rule is about this person.",
    "domain": "The rule is about the e-mail domain {}.",
    "network": "The rule is about the network it came from.",
    "cidr": "The rule is about the address it came from.",
    "link_host": "The rule is about links to {}.",
}

_LINK = re.compile(r"https?://(?:www\.)?|\bwww\.", re.IGNORECASE)
