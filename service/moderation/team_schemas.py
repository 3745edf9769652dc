"""The shapes of tokens and of a site's team."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from service.comments.schemas import NAME_LENGTH, ListQuery, Whole, line

SCOPES = ("read", "moderate", "manage")
ROLES = ("viewer", "moderator", "owner")
LONGEST_LIFE = 36_500
"""Days."""


def a_moment() -> fields.String:
    return fields.String(required=True, allow_none=True, metadata={"format": "date-time"})


def a_site(**more: object) -> fields.String:
    return fields.String(validate=validate.Length(1, 64), **more)  # type: ignore[arg-type]


def a_password(why: str) -> fields.String:
    return fields.String(
        load_default=None, allow_none=True, validate=validate.Length(max=1_000), metadata={"description": why}
    )


class TokenView(ma.Schema):
    """A token, without its secret."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    site = fields.String(required=True, allow_none=True)
    created_at = a_moment()
    last_used_at = a_moment()
    expires_at = a_moment()


class Tokens(ma.Schema):
    tokens = fields.List(fields.Nested(TokenView), required=True)
    next = fields.String(required=True, allow_none=True)


class NewToken(ma.Schema):
    name = line(NAME_LENGTH, required=True)
    scopes = fields.List(
        fields.String(validate=validate.OneOf(SCOPES)), required=True, validate=validate.Length(1, len(SCOPES))
    )
    site = a_site(
        load_default=None, allow_none=True, metadata={"description": "Good for this site only; null: for all yours."}
    )
    days = Whole(
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, LONGEST_LIFE),
        metadata={"description": "Until it ends; null: no end."},
    )
    password = a_password("Yours, which a session of the desk needs; a token needs none.")


class IssuedToken(TokenView):
    token = fields.String(
        required=True, allow_none=True, metadata={"description": "Told once; a repeated request gets null."}
    )


class TeamQuery(ma.Schema):
    site = a_site(required=True)


class TeamList(TeamQuery, ListQuery):
    pass


class MemberView(ma.Schema):
    """Somebody with a role on a site; the e-mail address is masked."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))


class Team(ma.Schema):
    moderators = fields.List(fields.Nested(MemberView), required=True)
    next = fields.String(required=True, allow_none=True)


class ChangeRole(TeamQuery):
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    password = a_password("Yours, which a session of the desk needs to make an owner; a token needs none.")


class NewInvite(ChangeRole):
    name = line(NAME_LENGTH, load_default="")
    """For whom it is: a note for the team."""


class InviteView(ma.Schema):
    """An invitation, without its link."""

    id = fields.UUID(required=True)
    site = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    name = fields.String(required=True)
    created_at = a_moment()
    expires_at = a_moment()


class Invites(ma.Schema):
    invites = fields.List(fields.Nested(InviteView), required=True)
    next = fields.String(required=True, allow_none=True)


class MadeInvite(InviteView):
    link = fields.String(
        required=True, allow_none=True, metadata={"description": "Told once; a repeated request gets null."}
    )
