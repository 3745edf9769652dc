"""Which sites are known to be flooded.

Revision: 0025, after 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "floods",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_floods_site_id")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_floods")),
    )


def downgrade() -> None:
    op.drop_table("floods")
