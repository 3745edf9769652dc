"""What stands first below a page.

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_PINNED = "pinned_at IS NOT NULL"


def upgrade() -> None:
    op.add_column("comments", sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        op.f("ix_comments_pinned"),
        "comments",
        ["page_id", "parent_id", "shown", "created_at", "id"],
        sqlite_where=sa.text(_PINNED),
        postgresql_where=sa.text(_PINNED),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_comments_pinned"), table_name="comments")
    op.drop_column("comments", "pinned_at")
