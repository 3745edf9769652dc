"""Filters that moderators keep under a name.

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("moderator_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_saved_filters_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
    )
    op.create_index(op.f("ix_saved_filters_moderator_id"), "saved_filters", ["moderator_id"])
    op.create_index(op.f("ix_saved_filters_site_id"), "saved_filters", ["site_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_saved_filters_site_id"), table_name="saved_filters")
    op.drop_index(op.f("ix_saved_filters_moderator_id"), table_name="saved_filters")
    op.drop_table("saved_filters")
