"""Many comments in one stroke are counted as if they had come one by one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import select

from service.comments import queries
from service.comments.models import Comment
from service.comments.operations import Change, new_author, transition, write
from service.comments.restoring import restore
from service.comments.status import STATUSES
from service.db import db, new_id, transaction
from service.sites.addresses import canonical
from service.sites.models import Page, RatingCount, Site
from service.sites.operations import open_page
from tests.conftest import add_site
from tests.support import FULL
from tests.transfer.balance import imbalance

Store = Callable[[Sequence[tuple[Comment, str]]], None]


def one_by_one(arrivals: Sequence[tuple[Comment, str]]) -> None:
    for comment, status in arrivals:
        transition(comment, status, Change("import:x", None))


def forest(site: Site, store: Store, seed: int) -> list[Any]:
    """Store the same forest; what is counted about each comment and about the page."""
    dice = random.Random(seed)
    made: list[tuple[Comment, str]] = []
    with transaction():
        page = open_page(site, canonical("/a", origins=site.origins), "", actor="test")
        for n in range(50):
            parent, rating = dice.choice([None, *made[-6:]]), dice.choice([None, None, 3.0, 5.0])
            comment = Comment(
                id=new_id(), site_id=site.id, page_id=page.id, name=f"N{n}", author_id=new_author(site).id,
                parent_id=parent[0].id if parent else None, rating=rating, rating_scale=rating and 5.0,
            )  # fmt: skip
            write(comment, f"Text {n}", "md")
            made.append((comment, dice.choice(STATUSES)))
        for start in range(0, 50, 20):
            store(made[start : start + 20])
    assert imbalance() == []
    told = []
    for comment, _ in made:
        with transaction():
            tally = queries.tally(comment.id)
            told.append((comment.status, queries.place_of(comment.id).shown, tally.replies, tally.shown_replies))
    bars = db.session.execute(select(RatingCount.value, RatingCount.count).where(RatingCount.page_id == page.id))
    [count] = db.session.scalars(select(Page.comment_count).where(Page.id == page.id))
    return [told, count, sorted(map(tuple, bars))]


@pytest.mark.parametrize("seed", range(20 if FULL else 2))
def test_the_counts_are_those_of_one_by_one(app: Any, seed: int) -> None:
    sites = [add_site(key, [f"https://{key}.example.org"], rating_max=5.0) for key in ("first", "second")]
    assert forest(sites[0], restore, seed) == forest(sites[1], one_by_one, seed)


def test_decisions_go_on_from_there(app: Any) -> None:
    site = add_site("first", ["https://first.example.org"], rating_max=5.0)
    forest(site, restore, 9)
    dice = random.Random(9)
    with transaction():
        for one in list(db.session.scalars(select(Comment.id).order_by(Comment.id))):
            comment = queries.get_for_update(one)
            assert comment is not None
            to = dice.choice([status for status in STATUSES if status != comment.status])
            transition(comment, to, Change("moderator:x", None))
    assert imbalance() == []
