"""The doors for readers who write nothing: vote for a comment, or report it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response

from service.db import transaction
from service.doors import OpenDoor, answer, per_address, sender_ip, tells
from service.reactions import operations, schemas
from service.reactions.operations import Complaint, Reader
from service.sites.origins import allow_origin, check_poster, find_site, this_site

bp = OpenDoor(
    "reactions",
    __name__,
    url_prefix="/v1/sites/<site>/comments/<uuid:comment_id>",
    description="Public doors for readers: no cookies.",
)
bp.url_value_preprocessor(find_site)
bp.after_request(allow_origin)


@bp.route("/vote", methods=["POST"])
@per_address("vote")
@bp.arguments(schemas.Vote)
@bp.response(200, schemas.Voted)
@tells(403, 409)
def vote(values: dict[str, Any], site: str, comment_id: UUID) -> Response:
    """Vote for a published comment, once for each device and each network; `up: false` takes the vote back."""
    check_poster(this_site())
    with transaction():
        done = operations.vote(this_site(), comment_id, Reader(values["device"], sender_ip()), up=values["up"])
    return answer(asdict(done))


@bp.route("/report", methods=["POST"])
@per_address("report")
@bp.arguments(schemas.Report)
@bp.response(202, schemas.Reported)
@tells(403)
def report(values: dict[str, Any], site: str, comment_id: UUID) -> Response:
    """Tell the moderators what is wrong with a published comment. The answer is the same the second time."""
    check_poster(this_site())
    complaint = Complaint(values["reason"], values["note"])
    with transaction():
        operations.report(this_site(), comment_id, Reader(values["device"], sender_ip()), complaint)
    return answer({"reported": True}, 202)
