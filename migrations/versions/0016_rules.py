"""What a site decides in advance, and what only its own author believes to be published.

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_BY_ADDRESS = "email_index IS NOT NULL"
_KINDS = ("person", "domain", "network", "cidr", "link_host")
_EFFECTS = ("block", "hold", "shadow", "trust")


def upgrade() -> None:
    op.create_table(
        "rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("value", sa.String(length=253), nullable=False),
        sa.Column("email_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("comment_id", sa.Uuid(), nullable=True),
        sa.Column("effect", sa.String(length=6), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_name", sa.String(length=80), nullable=False),
        sa.CheckConstraint(f"kind IN {_KINDS}", name=op.f("ck_rules_kind")),
        sa.CheckConstraint(f"effect IN {_EFFECTS}", name=op.f("ck_rules_effect")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_rules_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules")),
        sa.UniqueConstraint("site_id", "value", "kind", "effect", name=op.f("uq_rules_site_id_value_kind_effect")),
    )
    op.create_index(
        op.f("ix_rules_site_id_email_index"),
        "rules",
        ["site_id", "email_index"],
        sqlite_where=sa.text(_BY_ADDRESS),
        postgresql_where=sa.text(_BY_ADDRESS),
    )
    op.create_index(op.f("ix_rules_site_id_created_at_id"), "rules", ["site_id", "created_at", "id"])
    op.create_index(op.f("ix_rules_comment_id"), "rules", ["comment_id"])
    op.create_index(op.f("ix_rules_until"), "rules", ["until"])
    op.add_column("comments", sa.Column("shadowed", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("comments", "shadowed")
    for columns in ("until", "comment_id", "site_id_created_at_id", "site_id_email_index"):
        op.drop_index(op.f(f"ix_rules_{columns}"), table_name="rules")
    op.drop_table("rules")
