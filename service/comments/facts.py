"""What the rules about spam may know of a submission: looked up here, judged there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.comments import queries
from service.comments.admission import SAME_TEXT
from service.comments.models import Comment
from service.comments.rendering import hosts_of
from service.db import now
from service.rules.operations import Arrival, fallen_under
from service.sites.wordlists import lists_of
from service.spam.rules import Facts


def facts_of(comment: Comment, email: str, ip: str, signs: Mapping[str, Any], *, is_proven: bool) -> Facts:
    """The facts about a comment that is written, but not stored yet.

    `is_proven`: its author showed a token. `signs`: what only the door knows.
    """
    site, page, author = comment.site, comment.page, comment.author
    assert comment.email_index is not None
    by_email = queries.by_email(site.id, comment.email_index)
    return Facts(
        body=comment.body,
        mode=site.mode,
        known_author=is_proven and queries.is_known(author.id),
        same_text_by_email=queries.said_before(page.id, comment.body, since=now() - SAME_TEXT, by=by_email),
        rated_by_email=comment.rating is not None and queries.rated_before(page.id, by_email),
        ruled=fallen_under(
            Arrival(
                site_id=site.id,
                ip=ip,
                email=email,
                author_id=author.id if is_proven else None,
                hosts=hosts_of(comment.html, comment.website),
            )
        ),
        name=comment.name,
        lists=lists_of(site),
        max_links=site.max_links,
        **signs,
    )
