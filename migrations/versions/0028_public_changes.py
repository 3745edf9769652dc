"""What has changed of what the public is told, noted by the database itself: no way to write can forget it.

Revision: 0028, after 0027
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_SHOWN = (
    "page_id, parent_id, author_id, status, shown, name, website, is_moderator, html, rating, pinned_at, created_at,"
    " edited_at"
)
_OF_A_TALLY = "SELECT page_id AS place, site_id FROM comments WHERE comments.id = {row}.comment_id AND comments.shown"
_ALL = ("INSERT", "UPDATE", "DELETE")
# Table → the columns that count (all), on which statements, and the places whose answers are others then.
_WATCHED = {
    "comments": (_SHOWN, _ALL, "SELECT {row}.page_id AS place, {row}.site_id AS site_id WHERE {row}.shown"),
    "comment_tallies": ("replies, votes", _ALL, _OF_A_TALLY),
    "pages": (
        "url, title, closed_at, reopened_at, comment_count", ("UPDATE", "DELETE"),
        "SELECT {row}.id AS place, {row}.site_id AS site_id",
    ),
    "page_addresses": ("page_id", _ALL, "SELECT {row}.page_id AS place, {row}.site_id AS site_id"),
    "rating_counts": (
        "count", _ALL,
        "SELECT pages.id AS place, pages.site_id AS site_id FROM pages WHERE pages.id = {row}.page_id",
    ),
    "authors": ("avatar", ("UPDATE",), "SELECT {row}.site_id AS place, {row}.site_id AS site_id"),
    "sites": ("", ("UPDATE", "DELETE"), "SELECT {row}.id AS place, {row}.id AS site_id"),
}  # fmt: skip
_ROWS = {"INSERT": ("new",), "UPDATE": ("old", "new"), "DELETE": ("old",)}


def upgrade() -> None:
    op.create_table(
        "public_changes",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("txid", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_public_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_public_changes_place", "public_changes", ["place", "txid"], unique=True)
    op.create_index("ix_public_changes_txid", "public_changes", ["txid"])
    op.create_index("ix_public_changes_at", "public_changes", ["at"])
    for statement in _on_sqlite() if op.get_bind().dialect.name == "sqlite" else _on_postgresql():
        op.execute(statement)


def _narrowed(statement: str, columns: str) -> str:
    return f"UPDATE OF {columns}" if statement == "UPDATE" and columns else statement


def _on_sqlite() -> Iterator[str]:
    """One row a place, which moves to the end."""
    for table, (columns, statements, places) in _WATCHED.items():
        for statement in statements:
            what = _narrowed(statement, columns)
            found = " UNION ".join(places.format(row=row) for row in _ROWS[statement])
            yield f"""
CREATE TRIGGER public_{table}_{statement.lower()} AFTER {what} ON {table} BEGIN
  DELETE FROM public_changes WHERE place IN (SELECT place FROM ({found}));
  INSERT INTO public_changes (place, site_id, txid) SELECT place, site_id, 0 FROM ({found});
END"""  # noqa: S608 - all names are ours


def _on_postgresql() -> Iterator[str]:
    """One row a place and transaction: nobody waits for anybody. Whoever listens is told at the commit."""
    for table, (columns, statements, places) in _WATCHED.items():
        notes = "".join(
            f"""
  IF TG_OP <> '{other}' THEN
    INSERT INTO public_changes (place, site_id, txid, at)
      SELECT place, site_id, pg_current_xact_id()::text::bigint, now() FROM ({places.format(row=row)}) AS found
      ON CONFLICT DO NOTHING;
    IF FOUND THEN PERFORM pg_notify('greenroom_public', ''); END IF;
  END IF;"""  # noqa: S608 - likewise
            for row, other in (("old", "INSERT"), ("new", "DELETE"))
        )
        yield f"""
CREATE FUNCTION public_changed_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN{notes}
  RETURN NULL;
END $$"""
        on = " OR ".join(_narrowed(one, columns) for one in statements)
        yield f"""
CREATE TRIGGER public_changed_{table} AFTER {on} ON {table}
  FOR EACH ROW EXECUTE FUNCTION public_changed_{table}()"""


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, (_, statements, _) in _WATCHED.items():
        if is_sqlite:
            for statement in statements:
                op.execute(f"DROP TRIGGER public_{table}_{statement.lower()}")
        else:
            op.execute(f"DROP TRIGGER public_changed_{table} ON {table}")
            op.execute(f"DROP FUNCTION public_changed_{table}()")
    op.drop_table("public_changes")
