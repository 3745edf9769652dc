"""Change, withdraw and erase, by the holder of the token under which it was written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from uuid import UUID

from service.audit.operations import Deed, forget_details, record
from service.authors import queries
from service.comments import queries as comments
from service.comments.events import EVENT_OF, comment_data, erased
from service.comments.models import Author, Comment, CommentRevision
from service.comments.operations import Change, revise, transition, write
from service.comments.search.queries import index_words
from service.comments.status import DELETED
from service.db import db, now
from service.errors import Conflict, NoAuthor, NotFound, StaleVersion
from service.reactions.queries import forget_notes
from service.rules.operations import forget_author
from service.webhooks.outbox import announce, rewrite

_NO_PICTURE = "0" * 16


@dataclass(frozen=True)
class Changes:
    """What an author wants changed; None: leave it. `seen`: an If-Match of what they saw."""

    body: str | None = None
    notify: bool | None = None
    seen: str | None = None


def told_revision(comment: Comment, newest: CommentRevision | None) -> CommentRevision | None:
    """The change that waits or was refused, unless the text was changed after it."""
    is_past = newest and comment.edited_at and newest.created_at < comment.edited_at
    return None if is_past else newest


def version(comment: Comment, newest: CommentRevision | None) -> str:
    """What an author saw of a comment, in a word. The row's own version would tell what moderators do."""
    told = told_revision(comment, newest)
    seen = [comment.told_status, comment.body, comment.notify, told and [told.state, told.body]]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]


def _own_locked(author: Author, comment_id: UUID) -> Comment:
    """A comment of the author, locked. NotFound for all else, and nothing is locked for it."""
    comment = comments.get_for_update(comment_id) if queries.is_by(author.id, comment_id) else None
    if comment is None:
        raise NotFound("You have no comment by that id.")
    return comment


def change(author: Author, comment_id: UUID, wanted: Changes) -> Comment:
    """Change a text, or stop mail. What waits is changed in place; of what is published, the change waits.

    No state changes by it. What is so already stays so, whatever was seen. Raises NotFound, Conflict when the
    comment is deleted, and StaleVersion when it is not what the author saw.
    """
    comment = _own_locked(author, comment_id)
    if comment.status == DELETED:
        raise Conflict("This comment is deleted. It cannot be changed any more.")
    newest = queries.unpublished([comment.id]).get(comment.id)
    waiting = newest if newest and newest.state == queries.HELD else None
    rewords = wanted.body is not None and wanted.body != (waiting or comment).body
    stops = wanted.notify is False and comment.notify
    if (rewords or stops) and not _matches(wanted.seen, version(comment, newest)):
        raise StaleVersion("This comment is not as you saw it any more. Look at it, then change it again.")
    if rewords and wanted.body is not None:
        _reword(comment, wanted.body, f"author:{author.id}")
    if stops:
        queries.stop_mail(comment.id)
        record(Deed("comment.mail-stopped", f"author:{author.id}", comment.site_id, comment.id))
        db.session.refresh(comment)
    return comment


def _matches(if_match: str | None, present: str) -> bool:
    seen = {one.strip() for one in (if_match or "*").split(",")}  # RFC 9110: one or more
    return not seen.isdisjoint((f'"{present}"', "*"))


def _reword(comment: Comment, body: str, actor: str) -> None:
    """One change waits at a time: the last. Going back to what is published takes it back."""
    had_one = queries.drop_held(comment.id)
    if had_one and body == comment.body:
        record(Deed("comment.revision-dropped", actor, comment.site_id, comment.id))
    else:
        revise(comment, body, actor=actor, hold=True)
        db.session.flush()


def withdraw(author: Author, comment_id: UUID) -> Comment:
    """Take a comment back; one that is deleted stays so. Raises NotFound."""
    comment = _own_locked(author, comment_id)
    if comment.status != DELETED:
        queries.drop_held(comment.id)
        transition(comment, DELETED, Change(f"author:{author.id}", EVENT_OF[DELETED]))
    return comment


def erase(author_id: UUID) -> int:
    """Withdraw all that an author wrote, and destroy it with all that is known of them; how many comments.

    Left are the places in their threads, and the audit's rows without words. The token is dead afterwards.
    Raises NoAuthor when it is already.
    """
    author = queries.locked(author_id)
    if author is None or author.token_digest is None:
        raise NoAuthor()
    author.token_digest, author.avatar = None, _NO_PICTURE
    db.session.flush()
    ids = queries.ids_of(author.id)
    found = [one for one in map(comments.get_for_update, ids) if one]
    queries.erase_beside(ids)
    forget_notes(ids)
    forget_details(ids)
    forget_author(author.site_id, author.id, ids)
    rewrite(ids, erased)
    for comment in found:
        _erase(comment, f"author:{author.id}")
    return len(found)


def _erase(comment: Comment, actor: str) -> None:
    before = comment.status
    db.session.expire(comment, ["reasons"])
    comment.name, comment.website = "", None
    comment.email_sealed = comment.email_index = comment.network_label = None
    comment.notify, comment.notify_consent_at = False, None
    comment.reason, comment.reason_code = None, None
    write(comment, "", "md")
    if before != DELETED:
        transition(comment, DELETED, Change(actor, EVENT_OF[DELETED]))
    index_words(comment)
    comment.rating = comment.rating_scale = None  # only now: until here it counted
    comment.erased_at = now()
    db.session.flush()
    record(Deed("comment.erased", actor, comment.site_id, comment.id))
    told = comment_data(comment, actor=actor, previous_status=before)
    announce("comment.erased", comment.site_id, comment.id, told)
