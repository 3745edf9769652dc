"""What a reader sends when they vote or report, and what they are told."""

from __future__ import annotations

import re

import marshmallow as ma
from marshmallow import fields, validate

from service.comments.plaintext import PlainTextError
from service.comments.schemas import Cleaned, Truth, words
from service.reactions.policy import REASONS

_SHAPE = "[A-Za-z0-9_-]{22,64}"


def device(text: str) -> str:
    """A token that a device made at random: 22 of these characters hold 128 bits."""
    if not re.fullmatch(_SHAPE, text):
        raise PlainTextError("device", "Send 22 to 64 characters of A-Z, a-z, 0-9, _ and -, made at random.")
    return text


class FromDevice(ma.Schema):
    device = Cleaned(
        device,
        required=True,
        metadata={
            "pattern": f"^{_SHAPE}$",
            "description": "A random token that the device made and keeps.",
            "examples": ["Zk3v9QeT1xYbW7uLr0aPdg"],
        },
    )


class Vote(FromDevice):
    up = Truth(load_default=True, metadata={"description": "False takes one's own vote back."})


class Voted(ma.Schema):
    votes = fields.Integer(required=True)
    voted = fields.Boolean(required=True)


class Report(FromDevice):
    reason = fields.String(required=True, validate=validate.OneOf(list(REASONS)))
    note = words(500, load_default=None, allow_none=True)


class Reported(ma.Schema):
    """The same for everybody: nobody learns who reported before."""

    reported = fields.Boolean(required=True)
