"""Words that hold a comment of a site, and words that make it spam.

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    for name in ("hold_words", "spam_words"):
        op.add_column("sites", sa.Column(name, sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    for name in ("spam_words", "hold_words"):
        op.drop_column("sites", name)
