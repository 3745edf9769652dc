"""What a page's feed and its part of the queue are read from in order, however long its thread or the queue is.

Revision: 0031, after 0030
"""

from alembic import op

revision = "0031"
down_revision = "0030"

_INDEX = "ix_comments_on_page"


def upgrade() -> None:
    op.create_index(_INDEX, "comments", ["site_id", "page_id", "status", "created_at", "id"])


def downgrade() -> None:
    op.drop_index(_INDEX, "comments")
