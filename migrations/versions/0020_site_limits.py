"""How many comments a site takes, and with how many links.

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_LIMITS = ("limit_submit", "limit_page", "limit_site")


def upgrade() -> None:
    for name in _LIMITS:
        op.add_column("sites", sa.Column(name, sa.String(length=100), nullable=True))
    op.add_column("sites", sa.Column("max_links", sa.Integer(), server_default="1", nullable=True))


def downgrade() -> None:
    for name in ("max_links", *reversed(_LIMITS)):
        op.drop_column("sites", name)
