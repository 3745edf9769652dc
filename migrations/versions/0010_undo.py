"""What it takes to undo a decision.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "undo_entries",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_name", sa.String(length=80), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("previous_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name=op.f("fk_undo_entries_comment_id")),
        sa.PrimaryKeyConstraint("decision_id", "comment_id", name=op.f("pk_undo_entries")),
    )
    op.create_index(op.f("ix_undo_entries_comment_id"), "undo_entries", ["comment_id"])
    op.create_index(op.f("ix_undo_entries_created_at"), "undo_entries", ["created_at"])
    op.add_column("comments", sa.Column("decision_id", sa.Uuid(), nullable=True))
    op.add_column("bulk_decisions", sa.Column("undone_by", sa.String(length=80), nullable=True))


def downgrade() -> None:
    op.drop_column("bulk_decisions", "undone_by")
    op.drop_column("comments", "decision_id")
    op.drop_index(op.f("ix_undo_entries_created_at"), table_name="undo_entries")
    op.drop_index(op.f("ix_undo_entries_comment_id"), table_name="undo_entries")
    op.drop_table("undo_entries")
