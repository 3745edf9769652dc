"""What an import stores: each comment once, in its place, counted, and quietly."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from service.audit.models import AuditDetail, AuditEntry
from service.audit.operations import verify
from service.comments.models import Comment, CommentTally, Import
from service.db import db, now, transaction
from service.errors import Conflict, Invalid, NotFound
from service.sites.models import Page, PageAddress, Site
from service.transfer import importer
from service.transfer.foreign import UnreadableExport
from service.transfer.models import ImportedAddress
from service.transfer.task import Order
from service.webhooks.models import Event
from tests.conftest import add_site
from tests.support import thread

from .balance import imbalance
from .conftest import Bring, stored, tree
from .exports import comment, export, item, saved


def rows_of(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def forest(seed: int, size: int = 60, *, mixed: bool = True) -> str:
    """A page of comments that answer each other in all states, parents before and after their answers."""
    dice = random.Random(seed)
    parents = {n: dice.choice([0, *range(max(1, n - 8), n)]) for n in range(1, size + 1)}
    order = list(parents)
    if mixed:
        dice.shuffle(order)
    states = {n: dice.choice(["1", "1", "1", "0", "spam", "trash"]) for n in parents}
    meta = "<wp:commentmeta><wp:meta_key>rating</wp:meta_key><wp:meta_value>{}</wp:meta_value></wp:commentmeta>"
    rated = {n: meta.format(dice.randint(1, 5)) if dice.random() < 0.4 else "" for n in parents}
    return item(*(comment(rated[n], id=str(n), parent=str(parents[n]), approved=states[n]) for n in order))


def test_a_comment_keeps_its_words_its_date_and_its_place(bring: Bring, client: FlaskClient) -> None:
    bring(item(comment(), comment(id="2", parent="1", author="Bob", content="<![CDATA[It <em>is</em>.]]>")))
    [first] = thread(client, page="/a/")["comments"]
    assert first["author"]["name"] == "Ada"
    assert first["created_at"] == "2020-05-01T10:00:00.000Z"
    assert [reply["html"] for reply in first["replies"]] == ["<p>It <em>is</em>.</p>"]
    assert not first["author"]["is_moderator"]


def test_what_came_when_is_remembered_beside_the_old_date(bring: Bring) -> None:
    bring(item(comment()))
    assert now() - stored()["1"].received_at < timedelta(minutes=5)


def test_a_second_run_adds_nothing(bring: Bring) -> None:
    items = [forest(1), item(comment(id="99"), post_id="8", link="https://example.org/b/")]
    first, second = bring(*items), bring(*items)
    assert first.imported.total() == 61
    assert second.imported.total() == 0
    assert second.as_dict()["skipped"]["by_reason"] == {"already_imported": 61}
    assert (rows_of(Comment), rows_of(Page)) == (61, 2)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_counter_agrees_with_the_rows(app: Any, tmp_path: Path, seed: int, mixed: bool) -> None:
    site = add_site("rated", ["https://rated.example.org"], rating_max=5.0)
    importer.run(Order(path=saved(tmp_path, export(forest(seed, mixed=mixed))), site_id=site.id))
    assert imbalance() == []
    assert any(one.shown for one in stored().values())


def test_a_counter_that_is_wrong_would_be_seen(bring: Bring) -> None:
    bring(forest(1))
    with transaction():
        db.session.execute(update(Page).values(comment_count=Page.comment_count + 1))
        db.session.execute(update(CommentTally).values(shown_replies=CommentTally.shown_replies + 1))
    assert len(imbalance()) > 2


def test_parents_that_come_later_are_found(bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those of a later batch."""
    monkeypatch.setattr(importer, "BATCH", 40)
    replies = [comment(id=str(n), parent=str(n - 1)) for n in range(50, 1, -1)]
    report = bring(item(*replies, comment(id="1")))
    assert tree() == {str(n): str(n - 1) if n > 1 else None for n in range(1, 51)}
    assert report.as_dict()["notes"] == {}
    assert imbalance() == []


def test_a_chain_of_any_depth_is_kept_and_shown(bring: Bring, client: FlaskClient) -> None:
    bring(item(*(comment(id=str(n), parent=str(n - 1)) for n in range(1, 251))))
    assert tree()["250"] == "249"
    [root] = thread(client, page="/a/")["comments"]
    assert root["reply_count"] == 1


def test_a_reply_to_nobody_begins_a_thread_and_is_named_in_the_report(bring: Bring) -> None:
    report = bring(item(comment(id="5", parent="404"), comment(id="6", parent="5"))).as_dict()
    assert tree() == {"5": None, "6": "5"}
    assert report["notes"] == {"parent_missing": 1}
    assert report["noted"] == {"parent_missing": ["5"]}
    assert report["imported"] == {"approved": 2}


def test_a_reply_to_a_pingback_begins_a_thread(bring: Bring) -> None:
    report = bring(item(comment(id="1", type="pingback"), comment(id="2", parent="1")))
    assert tree() == {"2": None}
    assert report.as_dict()["noted"] == {"parent_missing": ["2"]}


def test_a_reply_to_a_comment_of_another_page_begins_a_thread(bring: Bring) -> None:
    other = item(comment(id="2", parent="1"), post_id="8", link="https://example.org/b/")
    report = bring(item(comment(id="1")), other)
    assert tree() == {"1": None, "2": None}
    assert report.as_dict()["noted"] == {"parent_missing": ["2"]}


def test_who_answers_in_circles_begins_a_thread(bring: Bring) -> None:
    circle = [comment(id="1", parent="2"), comment(id="2", parent="1"), comment(id="3", parent="3")]
    report = bring(item(*circle, comment(id="4", parent="2")))
    assert tree() == {"1": None, "2": None, "3": None, "4": "2"}
    assert report.as_dict()["noted"] == {"circle": ["1", "2", "3"]}


def test_a_circle_over_two_exports_is_not_closed(bring: Bring) -> None:
    bring(item(comment(id="2"), comment(id="1", parent="2")))
    report = bring(item(comment(id="1"), comment(id="2", parent="1")))
    assert tree() == {"1": "2", "2": None}
    assert report.as_dict()["noted"] == {"circle": ["2"]}
    assert imbalance() == []


def test_a_parent_of_a_later_export_is_found(bring: Bring) -> None:
    bring(item(comment(id="2", parent="1")))
    bring(item(comment(id="1"), comment(id="2", parent="1")))
    assert tree() == {"1": None, "2": "1"}
    assert imbalance() == []


@pytest.mark.parametrize("stops", [1, 2])
def test_an_import_that_was_stopped_goes_on(bring: Bring, monkeypatch: pytest.MonkeyPatch, stops: int) -> None:
    monkeypatch.setattr(importer, "BATCH", 20)
    heard = []

    def pull_the_plug(phase: str, done: int, total: int) -> None:
        heard.append(phase)
        if heard.count("import") > stops:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(forest(4), progress=pull_the_plug)
    assert rows_of(Comment) == 20 * (stops + 1)
    report = bring(forest(4))
    assert report.imported.total() == 60 - 20 * (stops + 1)
    assert imbalance() == []
    whole = tree()
    with transaction():
        db.session.execute(update(Comment).values(parent_id=None, source="elsewhere"))
        db.session.execute(update(Page).values(comment_count=0))
    bring(forest(4))
    assert tree() == whole


def test_what_was_stopped_is_in_the_audit_log_too(bring: Bring) -> None:
    def pull_the_plug(phase: str, done: int, total: int) -> None:
        if phase == "import":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(item(comment()), progress=pull_the_plug)
    [entry] = db.session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("import")))
    assert entry.action == "import.stopped"
    assert db.session.scalars(select(Import)).one().finished_at is None


def test_an_export_that_breaks_off_changes_nothing(site: Site, tmp_path: Path) -> None:
    path = saved(tmp_path, export(*(item(comment(id=str(n))) for n in range(500))).replace("</rss>", ""))
    with pytest.raises(UnreadableExport):
        importer.run(Order(path=path, site_id=site.id))
    assert (rows_of(Comment), rows_of(Import)) == (0, 0)


def test_an_import_is_silent_and_leaves_one_line_in_the_audit_log(bring: Bring) -> None:
    before = rows_of(AuditEntry)
    report = bring(forest(1), item(comment(id="p", type="pingback")))
    assert rows_of(Event) == 0
    assert rows_of(AuditEntry) == before + 1
    entry, detail = db.session.execute(
        select(AuditEntry, AuditDetail)
        .join(AuditDetail, AuditDetail.entry_id == AuditEntry.id)
        .where(AuditEntry.action == "import.finished")
    ).one()
    assert (str(entry.subject_id), entry.actor) == (report.import_id, "command")
    assert detail.details == {"format": "wordpress", "imported": dict(report.imported), "skipped": {"ping": 1}}
    assert all(verdict.broken is None for verdict in verify())


def test_a_dry_run_says_the_same_and_writes_nothing(bring: Bring) -> None:
    items = [
        forest(5),
        item(comment(id="90", parent="404"), comment(id="91", type="pingback"), comment(id="91"), comment(id="91")),
        item(comment(id="92", parent="93"), comment(id="93", parent="92"), post_id="8", link="https://example.org/b"),
    ]
    tables = (Comment, Page, PageAddress, ImportedAddress, Import, AuditEntry)
    before = [rows_of(table) for table in tables]
    told = bring(*items, dry_run=True).as_dict()
    assert [rows_of(table) for table in tables] == before
    real = bring(*items).as_dict()
    assert told["import"] is None
    assert told | {"import": real["import"]} == real
    again = bring(*items, dry_run=True).as_dict()
    assert again["imported"] == {}


@pytest.mark.parametrize("dry_run", [True, False])
def test_only_a_dry_run_holds_no_lock(bring: Bring, monkeypatch: pytest.MonkeyPatch, dry_run: bool) -> None:
    """In the midst of a batch that makes no page, and after the comments are stored."""
    bring(item(comment()))
    seen: list[bool] = []
    for name in ("_parent", "_end"):
        monkeypatch.setattr(importer, name, _looking(getattr(importer, name), seen))
    bring(item(comment(id="2"), comment(id="3")), dry_run=dry_run)
    assert any(seen) is not dry_run


def _looking(step: Any, seen: list[bool]) -> Any:
    """A step that first looks whether this session keeps others from writing."""

    def look(*args: Any) -> Any:
        connection = db.session.connection()
        if connection.dialect.name == "sqlite":
            other = sqlite3.connect(db.engine.url.database or "", timeout=0, isolation_level=None)
            with contextlib.closing(other):
                try:
                    other.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    seen.append(True)
        else:
            mine = "SELECT 1 FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'RowExclusiveLock'"
            seen.append(connection.exec_driver_sql(mine).first() is not None)
        return step(*args)

    return look


def test_two_rows_of_one_id_are_one_comment(bring: Bring) -> None:
    report = bring(item(comment(), comment(content="Hello again"))).as_dict()
    assert report["imported"] == {"approved": 1}
    assert report["skipped"]["rows"] == [
        {"source_id": "1", "reason": "duplicate_id", "detail": "Another comment of this export has the same id."}
    ]


def test_a_comment_of_another_blog_is_not_taken_for_an_old_one(bring: Bring) -> None:
    bring(item(comment()))
    report = bring(item(comment(date_gmt="2011-01-01 00:00:00"))).as_dict()
    assert report["skipped"]["by_reason"] == {"id_taken": 1}


def test_pingbacks_come_only_when_asked_for(bring: Bring) -> None:
    items = item(comment(), comment(id="2", type="pingback", author_email=""))
    assert bring(items).as_dict()["skipped"]["by_reason"] == {"ping": 1}
    assert bring(items, pings=True).imported == {"approved": 1}


def test_what_was_not_published_there_is_not_published_here(bring: Bring, client: FlaskClient) -> None:
    states = ["0", "spam", "trash", "?"]
    hidden = [comment(id=str(n), approved=state, content=f"hidden {n}") for n, state in enumerate(states)]
    report = bring(item(comment(id="9"), *hidden))
    assert report.imported == {"approved": 1, "pending": 2, "spam": 1, "deleted": 1}
    site_ = "/v1/sites/blog"
    for door in ("thread?page=/a/", "counts?page=/a/", "latest", "feed.atom"):
        answer = client.get(f"{site_}/{door}")
        assert answer.status_code == 200
        assert "hidden" not in answer.text
    assert thread(client, page="/a/")["page"]["comment_count"] == 1
    assert "Hello" in client.get(f"{site_}/feed.atom").text


def test_who_waited_there_waits_here_and_the_moderator_knows_why(bring: Bring) -> None:
    bring(item(comment(approved="0")), item(comment(id="2"), post_id="8", status="draft"))
    reasons = {source_id: [(r.code, r.detail) for r in one.reasons] for source_id, one in stored().items()}
    assert reasons == {
        "1": [("imported", "It waited for a decision where it comes from.")],
        "2": [("imported", "Approved there, but on a page that was not public: held here.")],
    }


def test_only_a_site_that_exists_can_receive(app: Any, tmp_path: Path) -> None:
    from uuid import uuid4

    with pytest.raises(NotFound):
        importer.run(Order(path=saved(tmp_path, export()), site_id=uuid4()))


def test_a_site_without_an_origin_is_refused(app: Any, tmp_path: Path) -> None:
    site = add_site("bare", [])
    with pytest.raises(Invalid):
        importer.run(Order(path=saved(tmp_path, export(item(comment()))), site_id=site.id))


def test_two_imports_at_once_do_not_double_anything(bring: Bring, site: Site, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    twin = Order(path=saved(tmp_path / "other", export(item(comment()))), site_id=site.id)
    met = importer._meet

    def meet_and_be_overtaken(*args: Any) -> Any:
        found = met(*args)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(importer, "_meet", met)
            importer.run(twin)
        return found

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Conflict):
        patch.setattr(importer, "_meet", meet_and_be_overtaken)
        bring(item(comment()))
    assert rows_of(Comment) == 1
    assert imbalance() == []


def test_a_body_of_any_length_is_taken_and_can_be_searched(bring: Bring, client: FlaskClient) -> None:
    words = " ".join(f"word{n}" for n in range(150_000))
    bring(item(comment(content=words)))
    assert len(stored()["1"].body) == len(words)
    assert "word149999" in stored()["1"].html


def test_dates_of_the_future_become_now(bring: Bring) -> None:
    report = bring(item(comment(date_gmt="2999-01-01 00:00:00")))
    assert stored()["1"].created_at <= datetime.now(UTC)
    assert report.as_dict()["noted"] == {"future_date": ["1"]}
