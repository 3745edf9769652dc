"""Until when a receiver asked to be left alone, and what is due to each endpoint by an index.

Revision: 0026, after 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

_INDEX = "ix_webhook_deliveries_waiting"


def upgrade() -> None:
    op.add_column("webhook_endpoints", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    pending = sa.text("state = 'pending'")
    op.create_index(
        _INDEX, "webhook_deliveries", ["endpoint_id", "next_at", "id"], sqlite_where=pending, postgresql_where=pending
    )


def downgrade() -> None:
    op.drop_index(_INDEX, "webhook_deliveries")
    op.drop_column("webhook_endpoints", "held_until")
