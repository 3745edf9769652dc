"""Since when a comment was pinned before a decision, so that undo pins it again.

Revision: 0022, after 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("undo_entries", sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("undo_entries", "pinned_at")
