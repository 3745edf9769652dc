"""Indexes for what is asked all day: of an author on a page, of a site, of unchecked addresses, of the audit log.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_UNCHECKED = "email_checked_at IS NULL AND email_sealed IS NOT NULL"


def upgrade() -> None:
    op.drop_index("ix_comments_author", table_name="comments")
    op.create_index("ix_comments_author", "comments", ["author_id", "page_id"])
    op.create_index("ix_comments_every", "comments", ["site_id", "created_at", "id"])
    op.create_index(
        "ix_comments_unchecked",
        "comments",
        ["status", "id"],
        sqlite_where=sa.text(_UNCHECKED),
        postgresql_where=sa.text(_UNCHECKED),
    )
    op.create_index(op.f("ix_audit_entries_chain_at_id"), "audit_entries", ["chain", "at", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_entries_chain_at_id"), table_name="audit_entries")
    op.drop_index("ix_comments_unchecked", table_name="comments")
    op.drop_index("ix_comments_every", table_name="comments")
    op.drop_index("ix_comments_author", table_name="comments")
    op.create_index("ix_comments_author", "comments", ["author_id"])
