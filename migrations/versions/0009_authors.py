"""What authors do with what they wrote: one held change of a comment, a mark on what was erased, and ways to find both.

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ERASED = "erased_at IS NOT NULL"
_HELD = "state = 'held'"


def upgrade() -> None:
    op.add_column("comments", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_comments_erased",
        "comments",
        ["erased_at"],
        sqlite_where=sa.text(_ERASED),
        postgresql_where=sa.text(_ERASED),
    )
    op.create_index("ix_comments_mine", "comments", ["author_id", "created_at", "id"])
    op.create_index(
        "uq_comment_revisions_held",
        "comment_revisions",
        ["comment_id"],
        unique=True,
        sqlite_where=sa.text(_HELD),
        postgresql_where=sa.text(_HELD),
    )
    op.create_index(op.f("ix_events_subject_id"), "events", ["subject_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_events_subject_id"), table_name="events")
    op.drop_index("uq_comment_revisions_held", table_name="comment_revisions")
    op.drop_index("ix_comments_mine", table_name="comments")
    op.drop_index("ix_comments_erased", table_name="comments")
    op.drop_column("comments", "erased_at")
