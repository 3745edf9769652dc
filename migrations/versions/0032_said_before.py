"""Whether the same words came to a page before is one look into an index, however much its poster said there.

Revision: 0032, after 0031
"""

from alembic import op

revision = "0032"
down_revision = "0031"

_SAID = {
    "ix_comments_said_author": ["author_id", "page_id"],
    "ix_comments_said_network": ["page_id", "network_label"],
    "ix_comments_said_email": ["page_id", "email_index"],
}


def upgrade() -> None:
    for name, whose in _SAID.items():
        op.create_index(name, "comments", [*whose, "alike_text", "created_at"])


def downgrade() -> None:
    for name in _SAID:
        op.drop_index(name, "comments")
