"""What the forms of my account and of the team send, each with the name of its deed."""

from __future__ import annotations

from marshmallow import fields, validate

from service.comments.schemas import NAME_LENGTH, Whole, line
from service.desk.schemas import FromForm
from service.moderation import team_schemas as team


class Done(FromForm):
    """What was just done, so that the page says it."""

    done = fields.String(load_default="", validate=validate.Length(max=40))


class Deed(FromForm):
    """Which of a page's forms was sent."""

    deed = fields.String(required=True, validate=validate.Length(max=40))


class Rename(FromForm):
    name = fields.String(required=True, validate=validate.Length(max=200))


class Prove(FromForm):
    """The password, asked again."""

    old = fields.String(required=True, validate=validate.Length(max=1_000))


class ChangePassword(Prove):
    password = fields.String(required=True, validate=validate.Length(max=1_000))


class OneOfMine(FromForm):
    """A session, a token or the like."""

    id = fields.UUID(required=True)


class Nothing(FromForm):
    """A button that needs no more."""


class NewToken(Prove):
    name = line(NAME_LENGTH, required=True)
    power = fields.String(required=True, validate=validate.OneOf(team.SCOPES))
    """The highest scope; those below it come with it."""
    site = team.a_site(load_default=None)
    days = Whole(load_default=None, validate=validate.Range(1, team.LONGEST_LIFE))


class TeamOf(Done):
    """The page of a site's team; of the first one that is theirs unless it says which."""

    site = team.a_site(load_default=None)
    cursor = fields.String(load_default=None, validate=validate.Length(max=500))


class OfSite(FromForm):
    site = team.a_site(required=True)


class GiveRole(OfSite):
    role = fields.String(required=True, validate=validate.OneOf(team.ROLES))
    old = fields.String(load_default="", validate=validate.Length(max=1_000))
    """The password, which making an owner needs."""


class ChangeRole(GiveRole):
    id = fields.UUID(required=True)


class TakeRole(OfSite):
    id = fields.UUID(required=True)


class NewInvite(GiveRole):
    name = line(NAME_LENGTH, load_default="")


class Confirm(FromForm):
    code = fields.String(required=True, validate=validate.Length(max=40))


class AddPasskey(Prove):
    name = line(NAME_LENGTH, required=True)
    credential = fields.String(required=True, validate=validate.Length(max=20_000))
    """What the browser answered, as JSON."""
