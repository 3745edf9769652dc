"""Which code may work on this database: a process of the version before goes on while it is migrated.

Revision: 0029, after 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

# Code from before this migration cannot ask how far the schema reaches.
CONTRACTS = True


def upgrade() -> None:
    op.create_table(
        "schema_reach",
        sa.Column("oldest", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("oldest", name=op.f("pk_schema_reach")),
    )


def downgrade() -> None:
    op.drop_table("schema_reach")
