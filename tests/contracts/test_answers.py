"""What the public is told is what the shapes say, no field more and none less; the rest is private."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
import pytest
from flask.testing import FlaskClient
from marshmallow import fields

from service.comments import queries, schemas
from service.comments.models import Comment
from service.comments.operations import Change, transition
from service.db import PUBLIC, Base, db, transaction
from service.sites import operations as sites
from service.sites.models import Site
from tests.support import PAGE, post

ABOUT_A_COMMENT = {
    "id", "parent_id", "name", "website", "is_moderator", "html", "rating", "pinned_at", "created_at", "edited_at",
}  # fmt: skip
WORDS_OF_SECRETS = ("email", "sealed", "index", "network", "token", "digest", "password", "secret", "key_hash")

Paths = set[str]


def named(schema: ma.Schema, at: str = "") -> Paths:
    """Every field of a shape by its path. Comments in comments are comments: they are not walked again."""
    found: Paths = set()
    for name, one in schema.fields.items():
        found.add(at + name)
        inner = _inside(one)
        if inner and not isinstance(schema, type(inner)):
            found |= named(inner, f"{at}{name}.")
    return found


def told(document: Any, schema: ma.Schema, at: str = "") -> Paths:
    """Every field of a document, by the path that its shape gives it."""
    found: Paths = set()
    for name, value in document.items():
        found.add(at + name)
        inner = _inside(schema.fields.get(name))
        if inner and value is not None:
            below = at if isinstance(schema, type(inner)) else f"{at}{name}."
            for part in value if isinstance(value, list) else [value]:
                found |= told(part, inner, below)
    return found


def _inside(field: ma.fields.Field[Any] | None) -> ma.Schema | None:
    inner = field.inner if isinstance(field, fields.List) else field
    return inner.schema if isinstance(inner, fields.Nested) else None


@pytest.fixture
def page(client: FlaskClient, site: Site) -> str:
    """A page with a rated comment, an answered one, and the place of a removed one; the id of the first."""
    with transaction():
        sites.change_site(db.session.merge(site), {"rating_max": 5.0, "mode": "post"}, actor="test")
    first: str = post(client, rating=4).json["id"]
    gone: str = post(client, parent_id=first, body="This will be removed.").json["id"]
    post(client, parent_id=gone, body="This answers what will be removed.")
    with transaction():
        comment = queries.get_for_update(UUID(gone))
        assert comment is not None
        transition(comment, "deleted", Change("test", event=None))
    return first


DOORS: list[tuple[str, dict[str, Any], type[ma.Schema]]] = [
    ("/v1/sites/blog/thread", {"page": PAGE}, schemas.ThreadOut),
    ("/v1/sites/blog/comments/{first}", {}, schemas.OneOut),
    ("/v1/sites/blog/counts", {"page": PAGE}, schemas.CountsOut),
    ("/v1/sites/blog/latest", {}, schemas.LatestOut),
]


@pytest.mark.parametrize(("path", "query", "shape"), DOORS, ids=lambda one: getattr(one, "__name__", None))
def test_an_answer_has_the_fields_of_its_shape(
    client: FlaskClient, page: str, path: str, query: dict[str, Any], shape: type[ma.Schema]
) -> None:
    answer = client.get(path.format(first=page), query_string=query)
    assert answer.status_code == 200
    said = told(answer.json, shape())
    assert said - named(shape()) == set(), "told, but in no shape"
    unheard = {"comments.removed"} if shape is schemas.LatestOut else set()
    assert named(shape()) - said == unheard, "in the shape, but not told"


def test_a_field_that_no_shape_has_is_seen() -> None:
    assert told({"comments": [{"email": "a@b.example"}]}, schemas.ThreadOut()) - named(schemas.ThreadOut()) == {
        "comments.email"
    }


def test_a_field_that_is_never_told_is_seen() -> None:
    class Louder(schemas.CommentOut):
        volume = fields.Integer()

    assert named(Louder()) - named(schemas.CommentOut()) == {"volume"}


def test_the_public_columns_of_a_comment_are_these() -> None:
    """A column becomes public here and in the model, never by one slip."""
    assert {one.name for one in Comment.__table__.columns if one.info == PUBLIC} == ABOUT_A_COMMENT


def test_no_column_that_holds_a_secret_is_public() -> None:
    columns = [one for table in Base.metadata.tables.values() for one in table.columns if one.info.get("public")]
    assert len(columns) > 20
    assert [str(one) for one in columns if any(word in one.name for word in WORDS_OF_SECRETS)] == []
