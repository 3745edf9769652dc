"""A site that has grown: thousands of rows in each table that grows, put there past the app; and plans of questions."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import Connection, event, insert, text

from service.audit.models import AuditDetail, AuditEntry
from service.comments.models import Author, Comment, CommentRevision, CommentSearch, CommentTally, HoldReason
from service.comments.rendering import RENDER_VERSION
from service.db import Base, db, new_id, now
from service.reactions.models import Report, Vote
from service.rules.models import Rule
from service.sites.models import Page, PageAddress, Site
from service.webhooks.models import Attempt, Delivery, Endpoint, Event

THREAD, QUEUE, OTHERS, PAGES = 1_500, 900, 900, 300
"""Comments of one thread, that wait, and of all kinds on other pages."""
GROWING = {
    "audit_details", "audit_entries", "authors", "comment_reports", "comment_revisions", "comment_search",
    "comment_tallies", "comment_votes", "comments", "events", "hold_reasons", "idempotency_keys", "page_addresses",
    "pages", "public_changes", "rating_counts", "rules", "undo_entries", "webhook_attempts", "webhook_deliveries",
}  # fmt: skip
OF_FEW = {
    "ix_events_unreleased",
    "ix_public_changes_unpurged",
    "ix_webhook_deliveries_due",
    "ix_webhook_deliveries_waiting",
}
"""Indexes of what is not done yet, however long the log is."""
LONG = 400
"""Rows: to sort so many is to sort a thread, and not a page of it. PostgreSQL says how many it expects."""
FEW = {
    "FROM hold_reasons WHERE hold_reasons.comment_id IN": "of a page of a list",
    "FROM webhook_attempts WHERE webhook_attempts.delivery_id IN": "of a page of a list",
    "FROM comment_reports WHERE comment_reports.comment_id =": "of one comment",
    "AND comments.parent_id IN (": "of a page of comments that have 20 replies at most",
    "GROUP BY comments.name": "the names of one person",
    "GROUP BY comments.network_label": "the networks of one person",
    "WHERE events.seq IS NULL": "what waits to be released",
    "FROM webhook_endpoints": "50 of a site at most",
    "WHERE comments.id IN (SELECT anon_1.id": "as many of each site as a page of a list shows",
}
"""What is sorted although no index has its order, and why it stays little; SQLite does not say how many it expects."""

Statement = tuple[str, Any]


def digest(n: int) -> bytes:
    return hashlib.sha256(str(n).encode()).digest()


def put(connection: Connection, table: type[Base], rows: list[dict[str, Any]]) -> None:
    for begin in range(0, len(rows), 500):
        connection.execute(insert(table), rows[begin : begin + 500])


def grow(site: Site, neighbour: Site, page: Page) -> dict[str, UUID]:
    """Fill the tables; ids of what doors are asked about."""
    begun, number = now() - timedelta(days=30), THREAD + QUEUE + OTHERS
    pages = [new_id() for _ in range(PAGES)]
    authors = [new_id() for _ in range(number // 2)]
    ids = [new_id() for _ in range(number)]
    endpoint = new_id()

    def at(n: int) -> datetime:
        return begun + timedelta(minutes=5 * n)

    def comment(n: int) -> dict[str, Any]:
        in_thread, waits = n < THREAD, THREAD <= n < THREAD + QUEUE
        status = "approved" if in_thread else "pending" if waits else ("approved", "spam", "rejected")[n % 3]
        where = page.id if in_thread else pages[n % PAGES]
        is_reply = in_thread and n % 4 == 3
        return {
            "id": ids[n], "site_id": site.id if in_thread or n % PAGES % 4 else neighbour.id, "page_id": where,
            "parent_id": ids[n - 1 - n % 3] if is_reply else None, "author_id": authors[n % len(authors)],
            "status": status, "shown": status == "approved", "shadowed": False, "name": f"Name {n}",
            "is_moderator": False, "email_sealed": b"x", "email_index": digest(n // 3),
            "network_label": f"{n % 700:016x}", "body": f"Words {n}", "body_format": "md", "html": f"<p>Words {n}</p>",
            "render_version": RENDER_VERSION, "alike_host": f"h{n % 300}.example", "alike_text": f"{n % 900:016x}",
            "rating": n % 5 + 1 if n % 9 == 0 else None, "rating_scale": 5 if n % 9 == 0 else None, "risk": n % 60,
            "notify": False, "created_at": at(n), "received_at": at(n), "waiting_since": at(n) if waits else None,
            "version": 1, "email_checked_at": at(n), "decided_at": None if waits else at(n),
        }  # fmt: skip

    def of_site(n: int) -> UUID:
        return site.id if n % PAGES % 4 else neighbour.id

    def link(n: int) -> dict[str, Any]:
        return {
            "id": new_id(), "chain": str(site.id), "n": 10_000 + n, "at": at(n), "actor": f"moderator:{n % 20}",
            "action": ("comment.approve", "comment.reject", "page.change", "site.change")[n % 4],
            "subject_id": ids[n], "commitment": digest(n), "previous": digest(n), "digest": digest(n + 1),
        }  # fmt: skip

    comments = [comment(n) for n in range(number)]
    links = [link(n) for n in range(number)]
    told = [
        {
            "id": new_id(),
            "seq": 1_000 + n,
            "site_id": comments[n]["site_id"],
            "subject_id": ids[n],
            "type": "comment.created",
            "data": {},
            "created_at": at(n),
            "not_before": at(n),
        }
        for n in range(number)
    ]
    sent = [
        {
            "id": new_id(),
            "endpoint_id": endpoint,
            "event_id": one["id"],
            "state": "delivered",
            "is_replay": False,
            "attempts": 1,
            "next_at": None,
            "done_at": at(n),
            "created_at": at(n),
        }
        for n, one in enumerate(told)
    ]
    for one in sent[-30:]:
        one |= {"state": "pending", "next_at": begun, "done_at": None}
    with db.engine.begin() as connection:
        if db.engine.dialect.name == "postgresql":  # no triggers: nobody is told of this
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        put(
            connection,
            Page,
            [
                {
                    "id": one,
                    "site_id": of_site(n),
                    "key": f"https://blog.example.org/{n}",
                    "created_at": at(n),
                    "title": "",
                    "comment_count": 3,
                }
                for n, one in enumerate(pages)
            ],
        )
        put(
            connection,
            PageAddress,
            [
                {"site_id": of_site(n), "key": f"https://blog.example.org/{n}", "page_id": one}
                for n, one in enumerate(pages)
            ],
        )
        put(
            connection,
            Author,
            [
                {"id": one, "site_id": site.id, "token_digest": digest(n), "avatar": f"{n:016x}", "created_at": at(n)}
                for n, one in enumerate(authors)
            ],
        )
        put(connection, Comment, comments)
        put(
            connection,
            CommentTally,
            [
                {"comment_id": one, "replies": int(n % 4 == 0), "shown_replies": int(n % 4 == 0), "votes": n % 7}
                for n, one in enumerate(ids)
            ],
        )
        put(connection, CommentSearch, [{"comment_id": one, "words": f"name words {n}"} for n, one in enumerate(ids)])
        put(
            connection,
            HoldReason,
            [
                {"comment_id": one, "n": 1, "code": "links" if n % 50 == 0 else "first-timer", "detail": "Words"}
                for n, one in enumerate(ids)
            ],
        )
        put(
            connection,
            CommentRevision,
            [
                {
                    "id": new_id(),
                    "comment_id": one,
                    "state": "published",
                    "body": "x",
                    "body_format": "md",
                    "by": "author",
                    "created_at": begun,
                }
                for one in ids[::3]
            ],
        )
        for table in (Vote, Report):
            more = {"reason": "spam"} if table is Report else {}
            put(
                connection,
                table,
                [
                    {
                        "id": new_id(),
                        "comment_id": one,
                        "site_id": site.id,
                        "device_digest": digest(n),
                        "network_label": f"{n:016x}",
                        "created_at": at(n),
                    }
                    | more
                    for n, one in enumerate(ids[:1_000])
                ],
            )
        put(
            connection,
            Rule,
            [
                {
                    "id": new_id(),
                    "site_id": site.id,
                    "kind": "domain",
                    "value": f"d{n}.example",
                    "effect": "hold",
                    "note": "",
                    "created_at": at(n),
                    "created_by": "test",
                    "created_name": "Test",
                }
                for n in range(1_000)
            ],
        )
        put(connection, Event, told)
        put(
            connection,
            Endpoint,
            [
                {
                    "id": endpoint,
                    "site_id": site.id,
                    "url": "https://hook.example.org/",
                    "note": "",
                    "events": [],
                    "format": "standard",
                    "include_email": False,
                    "secret_sealed": b"x",
                    "created_at": begun,
                    "created_by": "test",
                }
            ],
        )
        put(connection, Delivery, sent)
        put(
            connection,
            Attempt,
            [
                {
                    "id": new_id(),
                    "delivery_id": one["id"],
                    "endpoint_id": endpoint,
                    "at": at(n),
                    "milliseconds": 5,
                    "status": 200,
                    "excerpt": "",
                }
                for n, one in enumerate(sent)
            ],
        )
        put(connection, AuditEntry, links)
        put(connection, AuditDetail, [{"entry_id": one["id"], "salt": b"x" * 16, "details": {}} for one in links])
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    waiting = [one["id"] for one in comments[THREAD : THREAD + QUEUE] if one["site_id"] == site.id]
    return {"published": ids[0], "waiting": waiting[0], "another": waiting[1], "endpoint": endpoint,
            "delivery": sent[-1]["id"]}  # fmt: skip


@contextmanager
def asked() -> Iterator[list[Statement]]:
    """The statements that are executed inside, each once."""
    found: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        found.setdefault(statement, parameters[0] if many else parameters)

    event.listen(db.engine, "before_cursor_execute", note)
    listed: list[Statement] = []
    try:
        yield listed
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
        listed += [one for one in found.items() if re.match(r"\s*(SELECT|UPDATE|DELETE|WITH|INSERT)\b", one[0])]


def faults(app: Flask, ask: Callable[[], Any]) -> list[str]:
    """What grows with its table in what is asked: whole tables that are read, and what is sorted of them."""
    with asked() as statements:
        ask()
    db.session.rollback()
    looked = _on_sqlite if db.engine.dialect.name == "sqlite" else _on_postgresql
    with db.engine.connect() as connection:
        found = [f"{fault}: {' '.join(statement.split())[:2_000]}"
                 for statement, parameters in statements
                 for fault in looked(connection, statement, parameters)]  # fmt: skip
        connection.rollback()
    return found


def _on_sqlite(connection: Connection, statement: str, parameters: Any) -> Iterator[str]:
    if statement.lstrip().startswith("INSERT") and "SELECT" not in statement:
        return
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    names = dict(re.findall(r"\b(\w+) AS (\w+)", statement))
    tables = {alias: table for table, alias in names.items()} | {name: name for name in GROWING}
    spared = any(few in " ".join(statement.split()) for few in FEW)
    for *_, line in rows:
        scanned = re.match(r"SCAN (\w+)", line)
        if scanned and tables.get(scanned[1]) in GROWING:
            yield line
        if "TEMP B-TREE FOR ORDER BY" in line:
            if not spared:
                yield line
            spared = False  # one is meant, and no other beside it


def _on_postgresql(connection: Connection, statement: str, parameters: Any) -> Iterator[str]:
    if statement.lstrip().startswith("INSERT") and "SELECT" not in statement:
        return
    # Tables as small as these it would read and sort as a whole. Told to avoid that, it shows what it cannot avoid.
    sort = "on" if any(few in " ".join(statement.split()) for few in FEW) else "off"
    connection.exec_driver_sql(f"SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = {sort}")
    (found,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalars()
    for top in json.loads(found) if isinstance(found, str) else found:
        yield from _nodes(top["Plan"], is_limited=False)


def _nodes(node: dict[str, Any], *, is_limited: bool) -> Iterator[str]:
    """Sequential scans, whole indexes that are read, and long sorts, down a tree of a plan."""
    kind, table, inner = node["Node Type"], node.get("Relation Name"), node.get("Plans", [])
    if table in GROWING and (kind == "Seq Scan" or (kind.startswith("Index") and not _is_bounded(node, is_limited))):
        yield f"{kind} on {table}"
    if kind == "Sort" and inner[0]["Plan Rows"] > LONG:
        yield f"Sort of {inner[0]['Plan Rows']:.0f} rows"
    is_limited = kind == "Limit" or (is_limited and kind not in ("Sort", "Hash", "Aggregate"))
    for one in inner:
        yield from _nodes(one, is_limited=is_limited)


def _is_bounded(node: dict[str, Any], is_limited: bool) -> bool:
    return "Index Cond" in node or is_limited or node.get("Index Name") in OF_FEW


def effort(ask: Callable[[], Any]) -> float:
    """What the last statement took that is asked in the open transaction: steps of SQLite, or rows of PostgreSQL."""
    connection, steps = db.session.connection(), [0]
    if db.engine.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        assert driver is not None

        def step() -> None:
            steps[0] += 1

        driver.set_progress_handler(step, 1)
        ask()
        driver.set_progress_handler(None, 1)
        return steps[0]
    with asked() as statements:
        ask()
    statement, parameters = statements[-1]
    found = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()
    return sum(_rows(one["Plan"]) for one in found)


def _rows(node: dict[str, Any]) -> float:
    """Rows that a plan's nodes found, or looked at in vain."""
    seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float(seen * node["Actual Loops"] + sum(_rows(one) for one in node.get("Plans", [])))
