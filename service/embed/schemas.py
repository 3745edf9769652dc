"""What may stand in the address of a thread page or a form page. Other names are somebody else's and ignored."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

_ADDRESS = validate.Length(max=2048)


class FormQuery(ma.Schema):
    page = fields.String(required=True, validate=validate.Length(1, 2048))
    page_title = fields.String(load_default="", validate=validate.Length(max=300))
    reply = fields.UUID(load_default=None)
    redirect_to = fields.String(load_default="", validate=_ADDRESS)
    lang = fields.String(load_default=None, validate=validate.Regexp(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z"))


class ThreadQuery(FormQuery):
    sort = fields.String(load_default="oldest", validate=validate.OneOf(["oldest", "newest", "top"]))
    cursor = fields.String(load_default=None, validate=validate.Length(max=500))
    comment = fields.UUID(load_default=None)
    """Only this comment and its replies."""
    fragment = fields.Boolean(load_default=False)
    posted = fields.String(load_default=None, validate=validate.OneOf(["held", "approved"]))
