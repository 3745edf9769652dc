"""Whether the same words came to a page before is one look into an index, however much its poster said there.

Revision: 0032, after 0031
"""

from alembic import op

revision = "0032"
down_revision = "0031"

_AUTHOR = "ix_comments_author"
_BY = {"ix_comments_said_network": "network_label", "ix_comments_said_email": "email_index"}


def upgrade() -> None:
    for name, column in _BY.items():
        op.create_index(name, "comments", ["page_id", column, "alike_text", "created_at"])
    op.drop_index(_AUTHOR, "comments")
    op.create_index(_AUTHOR, "comments", ["author_id", "page_id", "alike_text", "created_at"])


def downgrade() -> None:
    op.drop_index(_AUTHOR, "comments")
    op.create_index(_AUTHOR, "comments", ["author_id", "page_id"])
    for name in _BY:
        op.drop_index(name, "comments")
