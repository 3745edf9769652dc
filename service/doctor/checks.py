"""Checks of what stands around Greenroom. None of them refuses a start: they are asked by `greenroom doctor` alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from ipaddress import collapse_addresses
from pathlib import Path
from statistics import median
from time import perf_counter

from sqlalchemy.exc import SQLAlchemyError

from service.config import Settings
from service.db import db, now, transaction
from service.doctor import queries
from service.health import Finding, no_answer

SLOW = 20.0
"""Milliseconds for one write to be safe on the disk, above which everybody who writes notices."""
APART = 2.0
"""Seconds between two clocks."""
_TRIES = 9
_ROOM = 200
"""MB free, at least."""


def of_database() -> Iterator[Finding]:
    """What a database that is reached and fits can be asked."""
    for check in (indexes, writing, clock):
        try:
            yield check()
        except SQLAlchemyError as error:
            db.session.rollback()
            yield no_answer(check.__name__, error)


def indexes() -> Finding:
    missing, invalid = queries.missing_indexes(), queries.invalid_indexes()
    said = []
    if missing:
        said.append(f"Missing. Make them: {'; '.join(missing)};")
    if invalid:
        said.append(f"Invalid. Make them anew: {'; '.join(f'REINDEX INDEX CONCURRENTLY {one}' for one in invalid)};")
    return Finding("indexes", not said, " ".join(said) or "All there.")


def writing() -> Finding:
    """How long a commit waits for the disk: on PostgreSQL by commits, on SQLite by fsync where its file is."""
    step = _commit if db.engine.dialect.name == "postgresql" else _synced_in(folder())
    try:
        took = _median(step)
    except OSError as error:
        return Finding("writing", False, f"Nothing can be written beside the database: {error.strerror}.")
    if took <= SLOW:
        return Finding("writing", True, f"Safe on the disk after {took:.1f} ms (median of {_TRIES}).")
    slow = f"Safe on the disk only after {took:.1f} ms (median of {_TRIES}): every comment and decision waits for it. "
    return Finding(
        "writing", True, f"{slow}Put the database on a local SSD, not on a share or a slow volume.", warns=True
    )


def _median(step: Callable[[], None]) -> float:
    """Milliseconds."""
    took = []
    for _ in range(_TRIES):
        begun = perf_counter()
        step()
        took.append((perf_counter() - begun) * 1_000)
    return median(took)


def _commit() -> None:
    with transaction():
        queries.write_ahead()


def _synced_in(place: Path) -> Callable[[], None]:
    def step() -> None:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"greenroom" * 450)  # about a page of the database
            file.flush()
            os.fsync(file.fileno())

    return step


def folder() -> Path:
    """Where a SQLite file is; of PostgreSQL's nothing is known, so where this runs."""
    name = db.engine.url.database if db.engine.dialect.name == "sqlite" else None
    return Path(name).parent if name else Path.cwd()


def room() -> Finding:
    free = shutil.disk_usage(folder()).free // 2**20
    cure = "" if free > _ROOM else " Make room: a full disk stops every write."
    return Finding("disk", free > _ROOM, f"{free:,} MB free.{cure}")


def clock() -> Finding:
    before, theirs, after = now(), queries.clock(), now()
    if theirs is None:
        return Finding("clock", True, "The database goes by this machine's.")
    return apart("clock", "The database's clock", (theirs - before - (after - before) / 2).total_seconds())


def apart(name: str, whose: str, ahead: float) -> Finding:
    """`ahead`: seconds by which their clock is before ours."""
    if abs(ahead) <= APART:
        return Finding(name, True, f"{whose} and this machine's agree.")
    side = "ahead of" if ahead > 0 else "behind"
    cure = "Let NTP set both (chrony, systemd-timesyncd)."
    return Finding(name, True, f"{whose} is {abs(ahead):,.1f} s {side} this machine's. {cure}", warns=True)


def proxies(chosen: Settings) -> Finding:
    names = ", ".join(chosen.trusted_proxies)
    if any(_is_everybody(chosen, version) for version in (4, 6)):
        told = (
            "GREENROOM_TRUSTED_PROXIES names the whole Internet: everybody may say who they are, and no limit holds. "
        )
        return Finding("proxies", False, f"{told}Name the addresses of your own proxies.")
    if chosen.public_url.startswith("https://") and not names:
        told = "GREENROOM_PUBLIC_URL is https, so that a proxy stands before Greenroom, but GREENROOM_TRUSTED_PROXIES "
        return Finding(
            "proxies", True, f"{told}names none: all visitors share one limit. Name its address.", warns=True
        )
    return Finding("proxies", True, f"Trusted to name the client: {names or 'none'}.")


def _is_everybody(chosen: Settings, version: int) -> bool:
    networks = [one for one in chosen.proxy_networks if one.version == version]
    return any(one.prefixlen == 0 for one in collapse_addresses(networks))  # type: ignore[type-var]
