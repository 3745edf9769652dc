"""A comment, its author, its revisions, its tallies, and the words by which it is found."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates
from sqlalchemy.orm.attributes import set_committed_value

from service.comments import status as states
from service.db import PUBLIC, Base, new_id, now
from service.sites.models import Page, Site

_PRIVATE = "email_sealed IS NOT NULL OR network_label IS NOT NULL"
_WAITS = f"status = '{states.PENDING}'"
_ERASED = "erased_at IS NOT NULL"
_PINNED = "pinned_at IS NOT NULL"
_HELD = "state = 'held'"
_UNCHECKED = "email_checked_at IS NULL AND email_sealed IS NOT NULL"


class Author(Base):
    """Who holds a token. Without a token every comment has an author of its own: an address proves nothing."""

    __tablename__ = "authors"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    token_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    avatar: Mapped[str] = mapped_column(String(16), info=PUBLIC)
    """A random seed, made of nothing else, from which the picture is drawn."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class Comment(Base):
    """What somebody said on a page. `version` covers text and status; counters live in CommentTally."""

    __tablename__ = "comments"
    __table_args__ = (
        CheckConstraint(f"status IN {states.STATUSES}", name="status"),
        CheckConstraint("body_format IN ('md', 'html')", name="body_format"),
        # Both sort ways of a thread, of a node's replies, and of the lists of moderators.
        Index("ix_comments_thread", "page_id", "parent_id", "shown", "created_at", "id"),
        Index("ix_comments_latest", "site_id", "status", "created_at", "id"),
        Index("ix_comments_on_page", "site_id", "page_id", "status", "created_at", "id"),
        Index(
            "ix_comments_waiting", "site_id", "status", "waiting_since",
            sqlite_where=text(_WAITS), postgresql_where=text(_WAITS),
        ),
        Index("ix_comments_every", "site_id", "created_at", "id"),
        Index("ix_comments_risk", "site_id", "status", "risk", "created_at", "id"),
        Index("ix_comments_alike_host", "site_id", "status", "alike_host", "created_at", "id"),
        Index("ix_comments_alike_text", "site_id", "status", "alike_text", "created_at", "id"),
        Index("ix_comments_email", "site_id", "email_index", "created_at"),
        Index("ix_comments_network", "site_id", "network_label", "created_at"),
        Index("ix_comments_parent", "parent_id"),
        Index("ix_comments_author", "author_id", "page_id"),
        # Whether the same words came here before: from this author, this network, or with this address.
        Index("ix_comments_said_author", "author_id", "page_id", "alike_text", "created_at"),
        Index("ix_comments_said_network", "page_id", "network_label", "alike_text", "created_at"),
        Index("ix_comments_said_email", "page_id", "email_index", "alike_text", "created_at"),
        Index("ix_comments_mine", "author_id", "created_at", "id"),
        Index("uq_comments_source", "site_id", "source", "source_id", unique=True),
        Index("ix_comments_batch", "import_id"),
        Index(
            "ix_comments_private", "site_id", "received_at",
            sqlite_where=text(_PRIVATE), postgresql_where=text(_PRIVATE),
        ),
        Index("ix_comments_erased", "erased_at", sqlite_where=text(_ERASED), postgresql_where=text(_ERASED)),
        Index(
            "ix_comments_pinned", "page_id", "parent_id", "shown", "created_at", "id",
            sqlite_where=text(_PINNED), postgresql_where=text(_PINNED),
        ),
        Index(
            "ix_comments_unchecked", "status", "id",
            sqlite_where=text(_UNCHECKED), postgresql_where=text(_UNCHECKED),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, info=PUBLIC)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    page_id: Mapped[UUID] = mapped_column(ForeignKey("pages.id"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("comments.id"), info=PUBLIC)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("authors.id"))
    status: Mapped[str] = mapped_column(String(10))
    shown: Mapped[bool] = mapped_column(default=False)
    """Approved, or the removed ancestor of something that is shown."""
    shadowed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """A rule made it spam, and its own author is to believe that it is published."""
    name: Mapped[str] = mapped_column(String(80), info=PUBLIC)
    website: Mapped[str | None] = mapped_column(String(200), info=PUBLIC)
    is_moderator: Mapped[bool] = mapped_column(default=False, info=PUBLIC)
    email_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_index: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    email_checked_at: Mapped[datetime | None]
    """When the worker asked whether the address' domain takes mail."""
    network_label: Mapped[str | None] = mapped_column(String(16))
    body: Mapped[str] = mapped_column(Text)
    body_format: Mapped[str] = mapped_column(String(4), default="md")
    html: Mapped[str] = mapped_column(Text, info=PUBLIC)
    render_version: Mapped[int] = mapped_column(index=True)
    alike_host: Mapped[str | None] = mapped_column(String(255))
    alike_text: Mapped[str | None] = mapped_column(String(16))
    """By these, comments that are alike find each other: see `likeness`."""
    rating: Mapped[float | None] = mapped_column(info=PUBLIC)
    rating_scale: Mapped[float | None]
    risk: Mapped[int] = mapped_column(default=0)
    """What the reasons weigh together; sorts the queue."""
    notify: Mapped[bool] = mapped_column(default=False)
    notify_consent_at: Mapped[datetime | None]
    pinned_at: Mapped[datetime | None] = mapped_column(info=PUBLIC)
    """Since when it stands first on its page; only what is approved does."""
    created_at: Mapped[datetime] = mapped_column(default=now, info=PUBLIC)
    received_at: Mapped[datetime] = mapped_column(default=now)
    """When it came to us; imported comments were written earlier. Retention counts from here."""
    waiting_since: Mapped[datetime | None]
    """When it last came into the queue: what was written years ago may be reported, restored or imported today."""
    edited_at: Mapped[datetime | None] = mapped_column(info=PUBLIC)
    erased_at: Mapped[datetime | None]
    """When its author had all erased that was theirs: only the place is left, and it stays deleted."""
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_name: Mapped[str | None] = mapped_column(String(80))
    reason: Mapped[str | None] = mapped_column(String(500))
    """The words given with the last decision."""
    reason_code: Mapped[str | None] = mapped_column(String(40))
    """Of a rejection: which of the site's reasons it was."""
    decision_id: Mapped[UUID | None]
    """The last decision, where it is one that can be undone."""
    source: Mapped[str | None] = mapped_column(String(20))
    source_id: Mapped[str | None] = mapped_column(String(80))
    import_id: Mapped[UUID | None] = mapped_column(ForeignKey("imports.id"))
    version: Mapped[int] = mapped_column(default=1)

    # Only to be read. For those that can be written, every flush weighs what depends on what, in half of its time.
    page: Mapped[Page] = relationship(viewonly=True)
    site: Mapped[Site] = relationship(viewonly=True)
    author: Mapped[Author] = relationship(viewonly=True)
    parent: Mapped[Comment | None] = relationship(remote_side="Comment.id", viewonly=True)
    reasons: Mapped[list[HoldReason]] = relationship(order_by="HoldReason.n", lazy="selectin", viewonly=True)

    __mapper_args__ = {"version_id_col": version}

    @classmethod
    def on(cls, page: Page, author: Author, **values: Any) -> Comment:
        """A new one, which knows what it belongs to without asking the database."""
        made = cls(id=new_id(), site_id=page.site_id, page_id=page.id, author_id=author.id, **values)
        known: dict[str, Any] = {"page": page, "site": page.site, "author": author, "reasons": []}
        for name, value in known.items():
            set_committed_value(made, name, value)
        return made

    @property
    def told_status(self) -> str:
        """The state as its author is told it: a spammer hears what everybody hears who waits."""
        spam = states.APPROVED if self.shadowed else states.PENDING
        return spam if self.status == states.SPAM else self.status

    @validates("status")
    def _status_by_the_table(self, _key: str, after: str) -> str:
        states.check(self.status, after)
        if after == states.PENDING:
            self.waiting_since = now()  # here, since every way into the queue leads through here
        return after


class HoldReason(Base):
    """Why a comment was held, in words for moderators."""

    __tablename__ = "hold_reasons"
    __table_args__ = (Index(None, "code", "comment_id"),)

    comment_id: Mapped[UUID] = mapped_column(ForeignKey("comments.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str] = mapped_column(String(300))


class CommentTally(Base):
    """What is counted about a comment, apart from it: counting never makes anybody's version stale."""

    __tablename__ = "comment_tallies"

    comment_id: Mapped[UUID] = mapped_column(ForeignKey("comments.id"), primary_key=True)
    replies: Mapped[int] = mapped_column(default=0)
    """Approved direct replies."""
    shown_replies: Mapped[int] = mapped_column(default=0)
    """Direct replies that are shown, removed ancestors among them."""
    votes: Mapped[int] = mapped_column(default=0)


class CommentRevision(Base):
    """One text of a comment: published once, held for a moderator, or refused."""

    __tablename__ = "comment_revisions"
    __table_args__ = (
        CheckConstraint("state IN ('published', 'held', 'refused')", name="state"),
        Index(None, "comment_id", "created_at"),
        Index(
            "uq_comment_revisions_held", "comment_id", unique=True,
            sqlite_where=text(_HELD), postgresql_where=text(_HELD),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    comment_id: Mapped[UUID] = mapped_column(ForeignKey("comments.id"))
    state: Mapped[str] = mapped_column(String(10))
    body: Mapped[str] = mapped_column(Text)
    body_format: Mapped[str] = mapped_column(String(4))
    by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(default=now)


class UndoEntry(Base):
    """What it takes to undo a decision on a comment: what stood before, and the event that told of it."""

    __tablename__ = "undo_entries"
    __table_args__ = (Index(None, "comment_id"), Index(None, "created_at"))

    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    comment_id: Mapped[UUID] = mapped_column(ForeignKey("comments.id"), primary_key=True)
    event_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(String(10))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_name: Mapped[str | None] = mapped_column(String(80))
    reason: Mapped[str | None] = mapped_column(String(500))
    reason_code: Mapped[str | None] = mapped_column(String(40))
    pinned_at: Mapped[datetime | None]
    previous_id: Mapped[UUID | None]
    """The decision before it, where that one can be undone."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    undone_at: Mapped[datetime | None]


class CommentSearch(Base):
    """The words of a comment's name and text, folded (FTS5 or tsvector finds them). Never an address."""

    __tablename__ = "comment_search"

    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[UUID] = mapped_column(ForeignKey("comments.id"), unique=True)
    words: Mapped[str] = mapped_column(Text)


class Import(Base):
    """One run of an importer: what came with it can be taken back."""

    __tablename__ = "imports"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    format: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
