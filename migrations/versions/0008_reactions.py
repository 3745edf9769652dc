"""Votes and reports of readers, and how many reports put a comment back in the queue.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_LABELLED = "network_label IS NOT NULL"
_REASONS = ("spam", "abuse", "private", "off-topic", "other")


def upgrade() -> None:
    _create("comment_votes")
    _create(
        "comment_reports",
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.CheckConstraint(f"reason IN {_REASONS}", name=op.f("ck_comment_reports_reason")),
    )
    op.add_column("sites", sa.Column("hold_after_reports", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("sites", "hold_after_reports")
    _drop("comment_reports")
    _drop("comment_votes")


def _create(table: str, *more: sa.schema.SchemaItem) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("device_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("network_label", sa.String(length=16), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *more,
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name=op.f(f"fk_{table}_comment_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f(f"fk_{table}_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("comment_id", "device_digest", name=op.f(f"uq_{table}_comment_id_device_digest")),
        sa.UniqueConstraint("comment_id", "network_label", name=op.f(f"uq_{table}_comment_id_network_label")),
    )
    op.create_index(
        op.f(f"ix_{table}_site_id_created_at"),
        table,
        ["site_id", "created_at"],
        sqlite_where=sa.text(_LABELLED),
        postgresql_where=sa.text(_LABELLED),
    )


def _drop(table: str) -> None:
    op.drop_index(op.f(f"ix_{table}_site_id_created_at"), table_name=table)
    op.drop_table(table)
