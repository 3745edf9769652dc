"""Which changes a cache in front was told of, and whose turn it is to tell it.

Revision: 0030, after 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

_INDEX = "ix_public_changes_unpurged"


def upgrade() -> None:
    op.add_column("public_changes", sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True))
    unpurged = sa.text("purged_at IS NULL")
    op.create_index(_INDEX, "public_changes", ["seq"], sqlite_where=unpurged, postgresql_where=unpurged)
    op.create_table(
        "purge_turns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lease", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purge_turns")),
    )


def downgrade() -> None:
    op.drop_table("purge_turns")
    op.drop_index(_INDEX, "public_changes")
    op.drop_column("public_changes", "purged_at")
