"""Sites, pages, comments, audit, outbox: the foundation.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


# An index beside the table: FTS5 keeps only the words, and triggers keep it in step.
_SQLITE_WORDS = """
CREATE VIRTUAL TABLE comment_search_fts USING fts5(
  words, content='comment_search', content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='2 3'
)
--
CREATE TRIGGER comment_search_added AFTER INSERT ON comment_search BEGIN
  INSERT INTO comment_search_fts(rowid, words) VALUES (new.id, new.words);
END
--
CREATE TRIGGER comment_search_gone AFTER DELETE ON comment_search BEGIN
  INSERT INTO comment_search_fts(comment_search_fts, rowid, words) VALUES ('delete', old.id, old.words);
END
--
CREATE TRIGGER comment_search_changed AFTER UPDATE ON comment_search BEGIN
  INSERT INTO comment_search_fts(comment_search_fts, rowid, words) VALUES ('delete', old.id, old.words);
  INSERT INTO comment_search_fts(rowid, words) VALUES (new.id, new.words);
END
"""


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("chain", sa.String(length=36), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(op.f("ix_audit_entries_chain_n"), "audit_entries", ["chain", "n"], unique=True)
    op.create_index(op.f("ix_audit_entries_subject_id"), "audit_entries", ["subject_id"], unique=False)
    op.create_table(
        "audit_heads",
        sa.Column("chain", sa.String(length=36), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "bulk_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("moderator_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("site_ids", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('working', 'done')", name=op.f("ck_bulk_decisions_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_decisions")),
    )
    op.create_index(op.f("ix_bulk_decisions_state_created_at"), "bulk_decisions", ["state", "created_at"], unique=False)
    op.create_table(
        "event_heads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_heads")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.LargeBinary(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "key_proofs",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_key_proofs")),
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("origins", sa.JSON(), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("rating_max", sa.Double(), nullable=True),
        sa.Column("rating_halves", sa.Boolean(), nullable=False),
        sa.Column("schema_type", sa.String(length=40), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("close_after_days", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("privacy_text", sa.String(length=500), nullable=False),
        sa.Column("privacy_url", sa.String(length=500), nullable=True),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("mode IN ('pre', 'post', 'first_timers')", name=op.f("ck_sites_mode")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("key", name=op.f("uq_sites_key")),
    )
    op.create_table(
        "audit_details",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entries.id"], name=op.f("fk_audit_details_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_details")),
    )
    op.create_table(
        "authors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("avatar", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_authors_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authors")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_authors_token_digest")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_events_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("seq", name=op.f("uq_events_seq")),
    )
    op.create_index(op.f("ix_events_site_id_seq"), "events", ["site_id", "seq"], unique=False)
    op.create_index(
        "ix_events_unreleased",
        "events",
        ["not_before", "id"],
        unique=False,
        sqlite_where=sa.text("seq IS NULL"),
        postgresql_where=sa.text("seq IS NULL"),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_imports_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_table(
        "pages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=2100), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=True),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment_count", sa.Integer(), nullable=False),
        sa.CheckConstraint("comment_count >= 0", name=op.f("ck_pages_count")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_pages_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pages")),
    )
    op.create_index(op.f("ix_pages_site_id_created_at"), "pages", ["site_id", "created_at"], unique=False)
    op.create_table(
        "comments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("website", sa.String(length=200), nullable=True),
        sa.Column("is_moderator", sa.Boolean(), nullable=False),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("email_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("network_label", sa.String(length=16), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_format", sa.String(length=4), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("render_version", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Double(), nullable=True),
        sa.Column("rating_scale", sa.Double(), nullable=True),
        sa.Column("risk", sa.Integer(), nullable=False),
        sa.Column("notify", sa.Boolean(), nullable=False),
        sa.Column("notify_consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_name", sa.String(length=80), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=True),
        sa.Column("source_id", sa.String(length=80), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("body_format IN ('md', 'html')", name=op.f("ck_comments_body_format")),
        sa.CheckConstraint(
            "status IN ('pending', 'approved', 'rejected', 'spam', 'deleted')",
            name=op.f("ck_comments_status"),
        ),
        sa.ForeignKeyConstraint(["author_id"], ["authors.id"], name=op.f("fk_comments_author_id")),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_comments_import_id")),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name=op.f("fk_comments_page_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["comments.id"], name=op.f("fk_comments_parent_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_comments_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    op.create_index("ix_comments_author", "comments", ["author_id"], unique=False)
    op.create_index("ix_comments_batch", "comments", ["import_id"], unique=False)
    op.create_index("ix_comments_email", "comments", ["site_id", "email_index", "created_at"], unique=False)
    op.create_index("ix_comments_latest", "comments", ["site_id", "status", "created_at", "id"], unique=False)
    op.create_index("ix_comments_network", "comments", ["site_id", "network_label", "created_at"], unique=False)
    op.create_index("ix_comments_parent", "comments", ["parent_id"], unique=False)
    op.create_index(
        "ix_comments_private",
        "comments",
        ["site_id", "received_at"],
        unique=False,
        sqlite_where=sa.text("email_sealed IS NOT NULL OR network_label IS NOT NULL"),
        postgresql_where=sa.text("email_sealed IS NOT NULL OR network_label IS NOT NULL"),
    )
    op.create_index(op.f("ix_comments_render_version"), "comments", ["render_version"], unique=False)
    op.create_index("ix_comments_risk", "comments", ["site_id", "status", "risk", "created_at", "id"], unique=False)
    op.create_index(
        "ix_comments_thread", "comments", ["page_id", "parent_id", "shown", "created_at", "id"], unique=False
    )
    op.create_index("uq_comments_source", "comments", ["site_id", "source", "source_id"], unique=True)
    op.create_table(
        "page_addresses",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=2100), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name=op.f("fk_page_addresses_page_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_page_addresses_site_id")),
        sa.PrimaryKeyConstraint("site_id", "key", name=op.f("pk_page_addresses")),
    )
    op.create_index(op.f("ix_page_addresses_page_id"), "page_addresses", ["page_id"], unique=False)
    op.create_table(
        "rating_counts",
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("scale", sa.Double(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("count >= 0", name=op.f("ck_rating_counts_count")),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name=op.f("fk_rating_counts_page_id")),
        sa.PrimaryKeyConstraint("page_id", "scale", "value", name=op.f("pk_rating_counts")),
    )
    op.create_table(
        "comment_revisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_format", sa.String(length=4), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('published', 'held', 'refused')", name=op.f("ck_comment_revisions_state")),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name=op.f("fk_comment_revisions_comment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment_revisions")),
    )
    op.create_index(
        op.f("ix_comment_revisions_comment_id_created_at"),
        "comment_revisions",
        ["comment_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "comment_search",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name=op.f("fk_comment_search_comment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment_search")),
        sa.UniqueConstraint("comment_id", name=op.f("uq_comment_search_comment_id")),
    )
    op.create_table(
        "comment_tallies",
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("replies", sa.Integer(), nullable=False),
        sa.Column("shown_replies", sa.Integer(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name=op.f("fk_comment_tallies_comment_id")),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_comment_tallies")),
    )
    op.create_table(
        "hold_reasons",
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name=op.f("fk_hold_reasons_comment_id")),
        sa.PrimaryKeyConstraint("comment_id", "n", name=op.f("pk_hold_reasons")),
    )
    op.create_index(op.f("ix_hold_reasons_code_comment_id"), "hold_reasons", ["code", "comment_id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        for statement in _SQLITE_WORDS.split("--"):
            op.execute(statement)
    else:
        op.execute("CREATE INDEX ix_comment_search_words ON comment_search USING gin (to_tsvector('simple', words))")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE comment_search_fts")
    op.drop_index(op.f("ix_hold_reasons_code_comment_id"), table_name="hold_reasons")
    op.drop_table("hold_reasons")
    op.drop_table("comment_tallies")
    op.drop_table("comment_search")
    op.drop_index(op.f("ix_comment_revisions_comment_id_created_at"), table_name="comment_revisions")
    op.drop_table("comment_revisions")
    op.drop_table("rating_counts")
    op.drop_index(op.f("ix_page_addresses_page_id"), table_name="page_addresses")
    op.drop_table("page_addresses")
    op.drop_index("uq_comments_source", table_name="comments")
    op.drop_index("ix_comments_thread", table_name="comments")
    op.drop_index("ix_comments_risk", table_name="comments")
    op.drop_index(op.f("ix_comments_render_version"), table_name="comments")
    op.drop_index(
        "ix_comments_private",
        table_name="comments",
        sqlite_where=sa.text("email_sealed IS NOT NULL OR network_label IS NOT NULL"),
        postgresql_where=sa.text("email_sealed IS NOT NULL OR network_label IS NOT NULL"),
    )
    op.drop_index("ix_comments_parent", table_name="comments")
    op.drop_index("ix_comments_network", table_name="comments")
    op.drop_index("ix_comments_latest", table_name="comments")
    op.drop_index("ix_comments_email", table_name="comments")
    op.drop_index("ix_comments_batch", table_name="comments")
    op.drop_index("ix_comments_author", table_name="comments")
    op.drop_table("comments")
    op.drop_index(op.f("ix_pages_site_id_created_at"), table_name="pages")
    op.drop_table("pages")
    op.drop_table("imports")
    op.drop_index(
        "ix_events_unreleased",
        table_name="events",
        sqlite_where=sa.text("seq IS NULL"),
        postgresql_where=sa.text("seq IS NULL"),
    )
    op.drop_index(op.f("ix_events_site_id_seq"), table_name="events")
    op.drop_table("events")
    op.drop_table("authors")
    op.drop_table("audit_details")
    op.drop_table("sites")
    op.drop_table("key_proofs")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("event_heads")
    op.drop_index(op.f("ix_bulk_decisions_state_created_at"), table_name="bulk_decisions")
    op.drop_table("bulk_decisions")
    op.drop_table("audit_heads")
    op.drop_index(op.f("ix_audit_entries_subject_id"), table_name="audit_entries")
    op.drop_index(op.f("ix_audit_entries_chain_n"), table_name="audit_entries")
    op.drop_table("audit_entries")
