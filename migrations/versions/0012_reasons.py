"""What comments have in common, and why they were rejected.

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("comments", sa.Column("alike_host", sa.String(length=255), nullable=True))
    op.add_column("comments", sa.Column("alike_text", sa.String(length=16), nullable=True))
    for name in ("alike_host", "alike_text"):
        op.create_index(f"ix_comments_{name}", "comments", ["site_id", "status", name, "created_at", "id"])

    op.create_table(
        "reject_reasons",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("sentence", sa.String(length=300), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_reject_reasons_site_id")),
        sa.PrimaryKeyConstraint("site_id", "code", name=op.f("pk_reject_reasons")),
    )
    for table in ("comments", "undo_entries", "bulk_decisions"):
        op.add_column(table, sa.Column("reason_code", sa.String(length=40), nullable=True))


def downgrade() -> None:
    for table in ("bulk_decisions", "undo_entries", "comments"):
        op.drop_column(table, "reason_code")
    op.drop_table("reject_reasons")
    for name in ("alike_text", "alike_host"):
        op.drop_index(f"ix_comments_{name}", table_name="comments")
        op.drop_column("comments", name)
