"""A thread as it is read: roots by the page, replies level by level, never more than a page can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from service.comments.shown import queries
from service.comments.shown.queries import PublicRow
from service.pagination import START, Position
from service.sites.models import Page

MOST_NODES = 200
"""Comments in one answer, roots and replies together."""
MOST_PINNED = 3
"""Comments of a page that stand first, in whatever order the others do."""
REPLIES_EACH = 20
"""Replies of one comment in one answer; the rest is behind its `next`."""


@dataclass
class Node:
    """A comment in its place. `next`: where more of its own replies begin."""

    row: PublicRow
    home: Node | None = None
    """Under whom it stands: its parent, or beyond the site's depth whom its parent stands under."""
    level: int = 1
    replies: list[Node] = field(default_factory=list)
    next: Position | None = None


@dataclass(frozen=True)
class Thread:
    """Some nodes, and where the next roots (or replies) begin."""

    nodes: list[Node]
    next: Position | None


def read(page: Page, *, sort: str, after: Position | None, limit: int) -> Thread:
    """A page of a thread: `limit` roots and their replies, nested as deep as the site shows.

    The first page begins with all that is pinned, however few are wanted, and has one more at least.
    """
    pinned = [] if after else queries.published(page.id, sort=sort, after=None, limit=MOST_PINNED, pinned=True).rows
    roots = queries.published(page.id, sort=sort, after=after, limit=max(1, limit - len(pinned)))
    nodes = [Node(row) for row in [*pinned, *roots.rows]]
    _grow(page.id, nodes, page.site.depth)
    return Thread(nodes, roots.next)


def read_one(row: PublicRow, depth: int, *, after: Position | None, limit: int) -> Thread:
    """One comment and a page of its replies."""
    node = Node(row)
    found = queries.replies(row.page_id, row.id, after=after, limit=limit + 1)
    kids = _attach(node, found[:limit], more=len(found) > limit, depth=depth)
    _grow(row.page_id, kids, depth)
    return Thread([node], node.next)


def _grow(page_id: UUID, nodes: list[Node], depth: int) -> None:
    """Hang replies under nodes, level by level, so that what is cut off first is what is deepest."""
    room = MOST_NODES - len(nodes)
    parents = [node for node in nodes if node.row.shown_replies]
    while parents:
        found = _replies_of(page_id, parents) if room > 0 else {}
        grown: list[Node] = []
        for node in parents:
            rows = found.get(node.row.id, [])
            taken = rows[: max(0, min(REPLIES_EACH, room))]
            room -= len(taken)
            grown += _attach(node, taken, more=node.row.shown_replies > len(taken), depth=depth)
        parents = [node for node in grown if node.row.shown_replies]


def _replies_of(page_id: UUID, nodes: list[Node]) -> dict[str, Sequence[PublicRow]]:
    """The first replies of each: together where all are few, one by one where there may be any number."""
    many = [node.row.id for node in nodes if node.row.shown_replies > REPLIES_EACH]
    found = {one: queries.replies(page_id, one, after=None, limit=REPLIES_EACH) for one in many}
    few: dict[str, list[PublicRow]] = {}
    for row in queries.all_replies(page_id, [node.row.id for node in nodes if node.row.id not in found]):
        few.setdefault(row.parent_id, []).append(row)
    return found | few


def _attach(node: Node, rows: Sequence[PublicRow], *, more: bool, depth: int) -> list[Node]:
    home = node if node.level < depth or node.home is None else node.home
    kids = [Node(row, home, home.level + 1) for row in rows]
    home.replies += kids
    if home is not node:  # several parents share this list: put it by time
        home.replies.sort(key=lambda kid: (kid.row.created_at, kid.row.id))
    if more:
        node.next = queries.place(rows[-1]) if rows else START
    return kids
