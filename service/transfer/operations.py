"""Store what an import brings, and take it back. Everything here happens inside somebody's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.audit.operations import Deed, record
from service.comments import queries as comments
from service.comments.models import Author, Import
from service.comments.operations import Change, author_row, transition
from service.comments.plaintext import mend_line
from service.comments.restoring import adopt, restore
from service.comments.schemas import TITLE_LENGTH
from service.comments.status import DELETED
from service.db import db, insert_rows, new_id, now
from service.errors import NotFound
from service.sites import queries as sites
from service.sites.addresses import Address
from service.sites.models import Page, Site
from service.transfer import queries
from service.transfer.cleaning import Cleaned
from service.transfer.foreign import ForeignPage

_UNDONE = "The import that brought it was taken back."


@dataclass(frozen=True)
class Pair:
    """A root and the comment that it answers."""

    source_id: str
    child_id: UUID
    parent_id: UUID


def begin(site_id: UUID, source: str, actor: str) -> UUID:
    """The number of a new import."""
    one = Import(id=new_id(), site_id=site_id, format=source, actor=actor)
    db.session.add(one)
    db.session.flush()
    return one.id


def end(import_id: UUID, action: str, summary: dict[str, Any]) -> None:
    """Keep the account of an import, and put its one line into the audit log.

    `action`: `import.finished`, or `import.stopped` for one that has to be run again.
    """
    one = found(import_id)
    one.report = summary
    one.finished_at = now() if action == "import.finished" else None
    told = {"format": one.format, "imported": summary["imported"], "skipped": summary["skipped"]["by_reason"]}
    record(Deed(action, one.actor, one.site_id, one.id, told))


def found(import_id: UUID) -> Import:
    """NotFound when there is none by that number."""
    one = queries.import_by_id(import_id)
    if one is None:
        raise NotFound("There is no import of that number. `greenroom import list` shows them.")
    return one


def page_for(site: Site, address: Address, page: ForeignPage, import_id: UUID) -> UUID:
    """The page at an address, made with the dates of its old system when nobody has written on it yet; silent."""
    here = sites.page_at(site, address.key)
    if here:
        return here.id
    moment = now()
    made = Page(
        id=new_id(), site_id=site.id, key=address.key, url=address.url,
        title=mend_line(page.title, max_length=TITLE_LENGTH),
        created_at=min(page.created_at or moment, moment), closed_at=moment if page.closed else None,
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    if sites.claim_address(site.id, address.key, made.id):
        queries.note_address(import_id, address.key)
        return made.id
    db.session.delete(made)
    db.session.flush()
    winner = sites.page_at(site, address.key)
    assert winner is not None
    return winner.id


def give_alias(site: Site, page_id: UUID | None, alias: Address, import_id: UUID | None) -> bool:
    """Let another address lead to a page; False when it leads elsewhere. Without an import only look."""
    if import_id and page_id and sites.claim_address(site.id, alias.key, page_id):
        queries.note_address(import_id, alias.key)
        return True
    holder = sites.page_at(site, alias.key)
    return holder.id == page_id if holder else import_id is None


def bring(site: Site, arrivals: Sequence[Cleaned], import_id: UUID) -> None:
    """Store cleaned comments that know their pages and parents, each with an author of its own."""
    authors = [author_row(site) for _ in arrivals]
    insert_rows(Author, authors)
    for one, author in zip(arrivals, authors, strict=True):
        one.comment.import_id, one.comment.author_id = import_id, author["id"]
    restore([(one.comment, one.status) for one in arrivals])


def bring_back(comment_id: UUID, status: str, import_id: UUID) -> None:
    """Give a comment that only kept its place, since its import was taken back, its old state again."""
    comment = comments.get_for_update(comment_id)
    assert comment is not None
    comment.import_id = import_id
    transition(comment, status, Change(f"import:{import_id}", event=None))


def settle(pairs: Sequence[Pair]) -> list[str]:
    """Hang roots under the parents that came after them; the source ids of those that would close a circle."""
    return [pair.source_id for pair in pairs if not adopt(pair.child_id, pair.parent_id)]


def withdraw(import_id: UUID, actor: str, limit: int) -> int:
    """Delete up to `limit` comments of an import as a moderator would, so that every count follows; how many."""
    ids = queries.standing(import_id, limit)
    for one in ids:
        comment = comments.get_for_update(one)
        if comment is not None and comment.status != DELETED:
            transition(comment, DELETED, Change(actor, event=None, reason=_UNDONE))
    return len(ids)


def erase(import_id: UUID, before: UUID | None, limit: int) -> tuple[int, UUID | None]:
    """Remove those of the next `limit` comments, from the last to the first, that nobody has answered.

    How many, and where to go on; None at the end. A comment whose answers go here and now goes with them.
    """
    rows = queries.brought(import_id, before, limit)
    ids = [row.id for row in rows]
    parents = {row.id: row.parent_id for row in rows}
    stays = queries.answered_from_outside(ids)
    for one in list(stays):
        above = parents[one]
        while above in parents and above not in stays:
            stays.add(above)
            above = parents[above]
    gone = [one for one in ids if one not in stays]
    queries.erase(gone)
    return len(gone), ids[-1] if len(ids) == limit else None


def erase_pages(import_id: UUID, limit: int) -> int:
    """Remove up to `limit` pages that an import made and that are empty now; how many."""
    one = found(import_id)
    ids = queries.deserted_pages(one, limit)
    queries.erase_pages(one, ids)
    return len(ids)


def forget_aliases(import_id: UUID, limit: int) -> int:
    """Take up to `limit` aliases off pages that an import found here; how many."""
    return queries.forget_aliases(found(import_id), limit)


def mark_undone(import_id: UUID, actor: str, counts: dict[str, int]) -> None:
    one = found(import_id)
    one.undone_at = now()
    record(Deed("import.undone", actor, one.site_id, one.id, counts))
