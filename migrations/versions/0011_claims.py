"""Who has taken which comments.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "claims",
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("moderator_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name=op.f("fk_claims_comment_id")),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_claims")),
    )
    op.create_index(op.f("ix_claims_moderator_id_until"), "claims", ["moderator_id", "until"])
    op.create_index(op.f("ix_claims_until"), "claims", ["until"])


def downgrade() -> None:
    op.drop_index(op.f("ix_claims_until"), table_name="claims")
    op.drop_index(op.f("ix_claims_moderator_id_until"), table_name="claims")
    op.drop_table("claims")
