"""Which addresses an import gave to pages, so that it can be taken back.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "imported_addresses",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=2100), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_imported_addresses_import_id")),
        sa.PrimaryKeyConstraint("import_id", "key", name=op.f("pk_imported_addresses")),
    )


def downgrade() -> None:
    op.drop_table("imported_addresses")
