"""Imports: bring one in, list them, take one back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import OperationalError

from service.cli.printing import DATA, UNAVAILABLE, Refusal, as_json, show, told
from service.comments.plaintext import mend_line
from service.doors import settings
from service.sites import queries as sites
from service.sites.models import Site
from service.transfer import importer, queries
from service.transfer.cleaning import NOTES
from service.transfer.foreign import UnreadableExport
from service.transfer.task import Order
from service.transfer.undo import undo as take_back

_ON = "What came in stays; the same command goes on from there."
_PHASES = {"read": "Reading", "import": "Importing", "settle": "Threading", "undo": "Taking back"}


@click.group("import")
def group() -> None:
    """Bring comments in from other systems, and take them back."""


class Pair(click.ParamType[tuple[str, str]]):
    """OLD=NEW."""

    name = "OLD=NEW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        old, equals, new = str(value).rpartition("=")
        if not equals:
            self.fail("Write OLD=NEW, such as https://old.example/blog=/news", param, ctx)
        return old, new


@group.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", "key", required=True, help="The site that receives the comments.")
@click.option("--dry-run", is_flag=True, help="Read and report, and write nothing.")
@click.option(
    "--map", "maps", type=Pair(), multiple=True, help="What lay at or below OLD is now at NEW. May be repeated."
)
@click.option("--pings", is_flag=True, help="Take pingbacks and trackbacks too.")
@as_json
def wordpress(file: Path, key: str, dry_run: bool, as_json: bool, **more: Any) -> None:
    """Import a WordPress export (WXR, also .gz): `greenroom import wordpress export.xml --site blog`.

    Safe to run again: what is here already is left alone.
    """
    order = Order(
        path=file, site_id=_site(key).id, dry_run=dry_run, max_mb=settings().import_max_mb, actor="command", **more
    )
    with told(), _readable(), _bar() as tell:
        report = importer.run(order, tell).as_dict()
    with told():
        report["largest_thread"] = _largest_thread(key, report["import"])
    show(report, lambda: _account(report, dry_run), as_json)


@group.command("undo")
@click.argument("batch", type=click.UUID)
@as_json
def undo(batch: UUID, as_json: bool) -> None:
    """Take an import back: remove what it brought, and nothing else. Safe to stop and repeat."""
    with told(), _bar() as tell:
        counts = take_back(batch, "command", lambda done, total: tell("undo", done, total))

    def lines() -> Iterator[str]:
        yield f"Removed {_many(counts['removed'], 'comment')} and {_many(counts['pages'], 'page')}."
        if counts["kept"]:
            yield f"{_many(counts['kept'], 'comment')} with replies of others: deleted, in place."

    show(counts, lines, as_json)


@group.command("list")
@click.option("--site", "key", help="Only those of this site.")
@as_json
def list_(key: str | None, as_json: bool) -> None:
    """List the imports, newest first, with the comments that are here of each."""
    found: list[dict[str, Any]] = [
        {
            "import": str(one.id), "format": one.format, "started_at": one.started_at.isoformat(),
            "state": "undone" if one.undone_at else "finished" if one.finished_at else "unfinished",
            "comments": queries.count_brought(one.id),
        }
        for one in queries.imports(_site(key).id if key else None)
    ]  # fmt: skip

    def lines() -> Iterator[str]:
        for one in found:
            counted = f"{one['format']}, {_many(one['comments'], 'comment')}, {one['state']}"
            yield f"{one['import']}  {one['started_at'][:16]}  {counted}"
        if not found:
            yield "Nothing has been imported yet."

    show(found, lines, as_json)


def _site(key: str) -> Site:
    site = sites.site_of(key)
    if site is None:
        raise Refusal(f"There is no site {key}. `greenroom sites list` shows them.", DATA)
    return site


@contextmanager
def _readable() -> Iterator[None]:
    """What can go wrong with an import only: it may have got somewhere."""
    try:
        yield
    except UnreadableExport as error:
        raise Refusal(f"{_shown(str(error))} Nothing was imported.", DATA) from error
    except KeyboardInterrupt:
        raise Refusal(f"Stopped. {_ON}", 130) from None
    except OperationalError as error:
        raise Refusal(f"The database is busy or away. {_ON}", UNAVAILABLE) from error


@contextmanager
def _bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on stderr, where somebody is watching."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=None)

        def tell(phase: str, done: int, total: int) -> None:
            progress.update(bar, description=_PHASES[phase], completed=done, total=total)

        yield tell


def _account(report: dict[str, Any], dry_run: bool) -> Iterator[str]:
    """What was read, what had to be decided, what was left out; what came in stands last, where people look."""
    read = report["read"]
    yield f"Read {_many(read['comments'], 'comment')} in {_many(read['threads'], 'thread')}."
    for origin, pages in report["moved_pages"].items():
        yield f"  {_many(pages, 'page')} of {origin}, now on this site."
    for code, count in report["notes"].items():
        yield f"  {count:,} × {NOTES[code]}{_some(report['noted'].get(code, []))}"
    if report["mended_characters"]:
        yield f"  {_many(report['mended_characters'], 'broken character')} taken out or replaced."
    yield from _left_out(report["skipped"])
    states = ", ".join(f"{count:,} {status}" for status, count in report["imported"].items()) or "nothing"
    yield f"{'Would import' if dry_run else 'Imported'} {states}."
    if report["import"] and report["imported"]:
        yield f"To take it back: greenroom import undo {report['import']}"
    if report["largest_thread"]:
        yield f"Its largest thread, while Greenroom serves: {report['largest_thread']}"


def _largest_thread(key: str, batch: str | None) -> str | None:
    """Where to look at what an import brought."""
    page = queries.largest_thread(UUID(batch)) if batch else None
    if page is None:
        return None
    return f"{settings().public_url}/embed/{key}?{urlencode({'page': page.url or page.key.removeprefix('id:')})}"


def _left_out(skipped: dict[str, Any]) -> Iterator[str]:
    yield f"Skipped {skipped['total']:,}."
    for code, count in skipped["by_reason"].items():
        rows = [row for row in skipped["rows"] if row["reason"] == code]
        detail = rows[0]["detail"] if rows else "They are here already."
        yield f"  {count:,} × {code}: {_shown(detail)}{_some([row['source_id'] for row in rows])}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _some(source_ids: list[str], most: int = 10) -> str:
    """Some of the comments that a line is about."""
    more = ", …; --json names them all" if len(source_ids) > most else ""
    return f" ({_shown(', '.join(source_ids[:most]))}{more})" if source_ids else ""


def _shown(text: str) -> str:
    """Words of a file, without what would give orders to a terminal."""
    return mend_line(text, max_length=1_000)


GROUPS = (group,)
