"""What a decision on many could not decide.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("bulk_decisions", sa.Column("results", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("bulk_decisions", "results")
