"""Questions about tokens and whose they are, as rows: they are asked at every guarded door, and in its transaction."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, or_, select

from service.accounts.models import ApiToken, Membership, Moderator
from service.db import now, run, table_of

_T, _M, _S = (table_of(one).c for one in (ApiToken, Moderator, Membership))
_TOKENS = (
    select(
        *(_T.id, _T.digest, _T.scopes, _T.site_id, _T.last_used_at, _T.expires_at, _T.revoked_at),
        *(_T.moderator_id, _M.name, _M.is_admin, _M.active, _S.site_id.label("role_on"), _S.role),
    )
    .join(table_of(Moderator), _M.id == _T.moderator_id)
    .outerjoin(table_of(Membership), _S.moderator_id == _M.id)
)
# Not one that is good no more: it would take longer to be refused than what never was.
_WITH_DIGEST = _TOKENS.where(
    *(_T.digest == bindparam("digest"), _T.revoked_at.is_(None), _M.active),
    or_(_T.expires_at.is_(None), _T.expires_at > bindparam("at")),
)
_WITH_ID = _TOKENS.where(_T.id == bindparam("id"))
TokenRow = Row[Any]


def token_with(*, digest: bytes | None = None, id_: UUID | None = None) -> tuple[TokenRow, dict[UUID, str]] | None:
    """The good token with a digest, or any with an id; its moderator's `name`, `is_admin`, `active`; {site: role}."""
    rows = (run(_WITH_DIGEST, digest=digest, at=now()) if digest else run(_WITH_ID, id=id_)).all()
    return (rows[0], {one.role_on: one.role for one in rows if one.role}) if rows else None
