"""The rules in their order, and what follows from what they find."""

from __future__ import annotations

from dataclasses import dataclass

from service.spam import rules
from service.spam.rules import SPAM, Facts, Finding

RULES = (
    rules.blocked,
    rules.shadowed,
    rules.held_by_rule,
    rules.honeypot_filled,
    rules.too_fast,
    rules.no_form_token,
    rules.unknown_origin,
    rules.flood_by_email,
    rules.repeated_by_email,
    rules.second_rating,
    rules.many_links,
    rules.spam_word,
    rules.held_word,
    rules.moderated_site,
)


@dataclass(frozen=True)
class Verdict:
    """Where a submission goes: spam, pending, or approved when nothing was found."""

    status: str
    findings: tuple[Finding, ...]

    @property
    def risk(self) -> int:
        return sum(one.risk for one in self.findings)

    @property
    def is_shadowed(self) -> bool:
        """Whether its own author shall believe that it is published."""
        return any(one.code == "shadowed" for one in self.findings)


def judge(facts: Facts) -> Verdict:
    findings = tuple(found for rule in RULES if (found := rule(facts)))
    if any(one.weight == SPAM for one in findings):
        return Verdict("spam", findings)
    return Verdict("pending" if findings else "approved", findings)
