"""What the rules about spam may know of a submission: looked up here, judged there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.comments import queries
from service.comments.models import Comment
from service.comments.queries import Before
from service.comments.rendering import hosts_of
from service.rules.operations import Arrival, fallen_under
from service.sites.wordlists import lists_of
from service.spam.rules import Facts


@dataclass(frozen=True)
class Known:
    """What is known of a sender. `is_proven`: they showed a token. `signs`: what only the door knows."""

    email: str
    ip: str
    signs: Mapping[str, Any]
    is_proven: bool
    before: Before


def facts_of(comment: Comment, sender: Known) -> Facts:
    """The facts about a comment that is written, but not stored yet."""
    site, author = comment.site, comment.author
    return Facts(
        body=comment.body,
        mode=site.mode,
        known_author=sender.is_proven and queries.is_known(author.id),
        same_text_by_email=sender.before.said_by_email,
        rated_by_email=sender.before.rated_by_email,
        ruled=fallen_under(
            Arrival(
                site_id=site.id,
                ip=sender.ip,
                network=comment.network_label,
                email=sender.email,
                email_index=comment.email_index,
                author_id=author.id if sender.is_proven else None,
                hosts=hosts_of(comment.html, comment.website),
            )
        ),
        name=comment.name,
        lists=lists_of(site),
        max_links=site.max_links,
        **sender.signs,
    )
