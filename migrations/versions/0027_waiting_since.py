"""Since when what waits has been waiting, whenever it was written.

Revision: 0027, after 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

_INDEX = "ix_comments_waiting"


def upgrade() -> None:
    op.add_column("comments", sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE comments SET waiting_since = coalesce(decided_at, received_at) WHERE status = 'pending'")
    pending = sa.text("status = 'pending'")
    op.create_index(
        _INDEX, "comments", ["site_id", "status", "waiting_since"], sqlite_where=pending, postgresql_where=pending
    )


def downgrade() -> None:
    op.drop_index(_INDEX, "comments")
    op.drop_column("comments", "waiting_since")
