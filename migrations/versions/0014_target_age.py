"""How long comments of a site may wait, which queues are known to be overdue, and who did what by actor and action.

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("sites", sa.Column("target_age_minutes", sa.Integer(), nullable=True))
    op.create_table(
        "overdue_queues",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_overdue_queues_site_id")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_overdue_queues")),
    )
    for column in ("actor", "action"):
        op.create_index(op.f(f"ix_audit_entries_chain_{column}_at_id"), "audit_entries", ["chain", column, "at", "id"])


def downgrade() -> None:
    for column in ("actor", "action"):
        op.drop_index(op.f(f"ix_audit_entries_chain_{column}_at_id"), table_name="audit_entries")
    op.drop_table("overdue_queues")
    op.drop_column("sites", "target_age_minutes")
