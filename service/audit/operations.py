"""Record and verify. Entries wait in the session and are chained as the last step of the transaction."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from service.audit import queries
from service.audit.models import INSTALL, AuditDetail, AuditEntry
from service.db import before_commit, db, new_id, now
from service.privacy.seal import keys


@dataclass(frozen=True)
class Deed:
    """What somebody did, before it is chained."""

    action: str
    actor: str
    site_id: UUID | None = None
    subject_id: UUID | None = None
    details: dict[str, Any] = field(default_factory=dict)


def record(deed: Deed) -> None:
    """Put a deed on the chain of its site (or of the install), in this transaction."""
    db.session().info.setdefault("audit", []).append(deed)


@before_commit
def chain_deeds() -> None:
    """Lock each head in a fixed order, then append. Last before the commit: the lock is short."""
    deeds: list[Deed] = db.session().info.pop("audit", [])
    chains: dict[str, list[Deed]] = {}
    for deed in deeds:
        chains.setdefault(str(deed.site_id or INSTALL), []).append(deed)
    for chain in sorted(chains):
        last, previous = queries.locked_head(chain)
        links, details = [], []
        for n, deed in enumerate(chains[chain], last + 1):
            salt = secrets.token_bytes(16)
            link = {
                "id": new_id(), "chain": chain, "n": n, "at": now(), "actor": deed.actor, "action": deed.action,
                "subject_id": deed.subject_id, "commitment": commitment(salt, deed.details), "previous": previous,
            }  # fmt: skip
            previous = digest(link)
            links.append(link | {"digest": previous})
            details.append({"entry_id": link["id"], "salt": salt, "details": deed.details})
        queries.append(chain, links, details)


def forget_details(subject_ids: Sequence[UUID]) -> None:
    """Erase the words of what was done to some subjects, with their salts. The chain stays whole."""
    queries.erase_details(subject_ids)


def commitment(salt: bytes, details: dict[str, Any]) -> bytes:
    """SHA-256 over salt and canonical JSON: binds the details without holding them."""
    return hashlib.sha256(salt + json.dumps(details, sort_keys=True).encode()).digest()


def digest(link: Mapping[str, Any]) -> bytes:
    """HMAC-SHA-256 of a link and its predecessor's digest, under a key that is not in the database."""
    subject = link["subject_id"]
    signed = [
        link["chain"], link["n"], link["id"].hex, link["at"].isoformat(), link["actor"], link["action"],
        subject.hex if subject else None, link["commitment"].hex(), link["previous"].hex(),
    ]  # fmt: skip
    return hmac.new(keys().audit, json.dumps(signed).encode(), hashlib.sha256).digest()


@dataclass(frozen=True)
class Head:
    """Where a chain ends, or ended when somebody noted it: `chain:n:digest` in hex, as `verify` tells it."""

    chain: str
    n: int
    digest: bytes

    @classmethod
    def read(cls, text: str) -> Head:
        """ValueError when the text is none."""
        chain, n, digits = text.split(":")
        if int(n) < 1:
            raise ValueError
        return cls(chain, int(n), bytes.fromhex(digits))

    def __str__(self) -> str:
        return f"{self.chain}:{self.n}:{self.digest.hex()}"


@dataclass(frozen=True)
class Verdict:
    """The state of one chain: `broken` says where and how, None when whole."""

    head: Head
    broken: str | None


def verify(noted: Sequence[Head] = ()) -> list[Verdict]:
    """Walk every chain from its first link to its head, past the heads that were `noted` before.

    Someone with the database alone can cut a chain together with its head row; only a head that was noted
    elsewhere shows it.
    """
    chains = {*queries.chains(), *(one.chain for one in noted)}  # first: a chain that begins now has a head
    heads = {one.chain: Head(one.chain, one.n, one.digest) for one in queries.heads()}
    whole = [_walk(head, {(one.n, one.digest) for one in noted if one.chain == head.chain}) for head in heads.values()]
    gone = [Verdict(Head(chain, 0, bytes(32)), "its head is gone") for chain in sorted(chains - set(heads))]
    return whole + gone


def _walk(head: Head, noted: set[tuple[int, bytes]]) -> Verdict:
    n, previous = 0, bytes(32)
    with closing(queries.links(head.chain, head.n)) as links:
        for entry, detail in links:
            n += 1
            fault = _fault(entry, detail, n, previous)
            if fault:
                return Verdict(head, f"row {n} ({entry.id}): {fault}")
            previous = entry.digest
            if any(at == n and digest != previous for at, digest in noted):
                return Verdict(head, f"row {n} ({entry.id}): is not the one that was noted")
    if n != head.n or not hmac.compare_digest(previous, head.digest):
        return Verdict(head, f"{head.n} rows were written, {n} are left")
    if longer := [at for at, _ in noted if at > n]:
        return Verdict(head, f"{max(longer)} rows were noted, {n} are left")
    return Verdict(head, None)


def _fault(entry: AuditEntry, detail: AuditDetail | None, n: int, previous: bytes) -> str | None:
    if entry.n != n:
        return f"row {n} is missing"
    if not hmac.compare_digest(entry.previous, previous):
        return "does not follow the row before it"
    if not hmac.compare_digest(entry.digest, digest(vars(entry))):
        return "was changed"
    if detail is not None and commitment(detail.salt, detail.details) != entry.commitment:
        return "its details were changed"
    return None
