"""The index of words: what is put into it, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, false, func, literal_column, select, text, update

from service.comments.models import Comment, CommentSearch
from service.db import db, insert_if_new, insert_rows, run, table_of
from service.spam.words import folded

_MOST_WORDS = 10
_MOST_INDEXED = 100_000  # imported bodies have no cap, but a tsvector takes a megabyte at most
_SIMPLE: Any = literal_column("'simple'::regconfig")
_INDEX = table_of(CommentSearch)
_REPLACE = update(_INDEX).where(_INDEX.c.comment_id == bindparam("of"))


def index_new(comments: Sequence[Comment]) -> None:
    """Put the names and texts of new comments into the index of words."""
    insert_rows(CommentSearch, [{"comment_id": one.id, "words": _words(one)} for one in comments])


def _words(comment: Comment) -> str:
    """What is indexed; of an endless body only the beginning."""
    return " ".join(folded(f"{comment.name}\n{comment.body}"[:_MOST_INDEXED]))[:_MOST_INDEXED]


def index_words(comment: Comment) -> None:
    """Put a comment's name and text into the index of words, in place of what was there."""
    words = _words(comment)
    if insert_if_new(CommentSearch, {"comment_id": comment.id, "words": words}):
        return
    run(_REPLACE, of=comment.id, words=words)


def with_words(text_: str) -> Any:
    """The condition that a comment's name or text holds all these words, or words that begin with them."""
    words = folded(text_)[:_MOST_WORDS]
    if not words:
        return false()
    if db.engine.dialect.name == "sqlite":
        match = " ".join(f'"{word}"*' for word in words)
        rows = text("SELECT rowid FROM comment_search_fts WHERE comment_search_fts MATCH :match")
        found = CommentSearch.id.in_(rows.bindparams(match=match).columns(CommentSearch.id))
    else:
        match = " & ".join(f"'{word}':*" for word in words)
        found = func.to_tsvector(_SIMPLE, CommentSearch.words).op("@@")(func.to_tsquery(_SIMPLE, match))
    return Comment.id.in_(select(CommentSearch.comment_id).where(found))
