"""Run it: serve, worker, migrate, doctor, and the upkeep of what is stored."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
from flask import current_app
from huey.consumer import Consumer

from service import health, jobs, limits, prompts, revisions
from service.audit import operations as audit
from service.cli.child import WorkerChild
from service.cli.printing import CONFIG, DATA, as_json, show, told
from service.cli.start import address, preflight, refuse_taken
from service.comments.upkeep import render_anew
from service.config import Settings
from service.db import db, transaction
from service.doors import settings
from service.privacy.operations import prove_keys

_SPARE = 5.0
"""Seconds that a worker has beyond what one webhook may take, to end what it has begun."""
_ONCE = 60.0
"""Seconds after which `worker --once` begins nothing more."""


@click.command()
def migrate() -> None:
    """Bring the database to this version; safe to repeat, and while others do the same."""
    with told():
        before, after = upgrade()
    click.echo(
        f"The database is at {after}." if before == after else f"Migrated from {before or 'nothing'} to {after}."
    )


def upgrade() -> tuple[str | None, str]:
    """Migrate and leave the proofs of the keys."""
    done = revisions.migrate()
    with transaction():
        prove_keys()
    return done


@click.command()
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65_535), help="The port to listen on.")
@click.option("--worker/--no-worker", default=True, help="Start the worker child process too.")
def serve(host: str | None, port: int | None, worker: bool) -> None:
    """Serve, until told to stop. Refuses to start when something is not in order, and says what."""
    listen_at(host, port)
    preflight(settings(), settings().host)
    refuse_taken(settings())
    db.session.remove()  # a look that stayed open here would keep the database from tidying up behind it
    child = start_worker() if worker else None
    try:
        _serve(settings().host, settings().port)
    finally:
        if child:
            child.stop()


def listen_at(host: str | None, port: int | None) -> None:
    """Let the settings say what the options of a command say."""
    chosen = settings().at(port or settings().port)
    current_app.extensions["greenroom_settings"] = replace(chosen, host=host or chosen.host)
    current_app.config["PUBLIC_URL"] = chosen.public_url.rstrip("/")


def _serve(host: str, port: int) -> None:
    # Here, since the front is above the commands: it is found by its name, like any ASGI server finds it.
    from importlib import import_module

    import_module("service.front").serve(current_app._get_current_object(), host=host, port=port)  # type: ignore[attr-defined]


def start_worker() -> WorkerChild:
    return WorkerChild(settings().webhook_timeout + _SPARE)


@click.command()
@click.option("--once", is_flag=True, help="Run every job once, send what is due, and stop.")
@click.option("--child", is_flag=True, help="Stop when the process that started it is gone.")
def worker(once: bool, child: bool) -> None:
    """Do the regular work: send webhooks, long bulk decisions, forget what is past its time."""
    parent = os.getppid()  # before anything slow: the parent may be gone by the end of it
    preflight(settings(), "127.0.0.1")
    if once:
        jobs.run_all()
        prompts.take_all(_ONCE)
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    prompted = prompts.consumer(settings().webhook_workers)
    prompted.start()
    jobs.regularly("prompts.health", 60, lambda: _keep_threads(prompted))
    try:
        jobs.run_until(lambda tick: stop.wait(tick) or (child and os.getppid() != parent))
    finally:
        prompted.stop(graceful=True)


def _keep_threads(prompted: Consumer) -> bool:
    """Threads of the worker that died are replaced."""
    prompted.check_worker_health()
    return False


@click.command()
@as_json
def doctor(as_json: bool) -> None:
    """Look at settings, keys, database, disk and proxy, and say what to do."""
    found = [*health.findings(), health.file(), *_around(settings())]

    def lines() -> Iterator[str]:
        for one in found:
            yield f"{'ok  ' if one.ok else 'FAIL'}  {one.name}: {one.detail}"

    show([{"name": one.name, "ok": one.ok, "detail": one.detail} for one in found], lines, as_json)
    if not all(one.ok for one in found):
        sys.exit(CONFIG)


def _around(chosen: Settings) -> Iterator[health.Finding]:
    yield address(chosen)
    free = shutil.disk_usage(Path.cwd()).free // 2**20
    yield health.Finding("disk", free > 200, f"{free:,} MB free here.")
    yield _limits(chosen)
    proxies = ", ".join(chosen.trusted_proxies) or "none"
    yield health.Finding("proxies", True, f"Trusted to name the client: {proxies}.")


def _limits(chosen: Settings) -> health.Finding:
    if not chosen.limits_enabled:
        return health.Finding("limits", True, "Switched off.")
    if not chosen.redis_url:
        return health.Finding("limits", True, "Counted in this one process.")
    if limits.store_answers():
        return health.Finding("limits", True, "Counted in Valkey or Redis.")
    away = "GREENROOM_REDIS_URL does not answer. Each process counts by itself meanwhile."
    return health.Finding("limits", False, away)


@click.group("audit")
def audit_group() -> None:
    """The audit log."""


def _head(_context: object, _option: object, values: tuple[str, ...]) -> list[audit.Head]:
    try:
        return [audit.Head.read(one) for one in values]
    except ValueError:
        raise click.BadParameter("Write it as verify told it: CHAIN:NUMBER:DIGEST.") from None


@audit_group.command()
@click.option(
    "--head", "noted", multiple=True, callback=_head, help="A head that you noted before: CHAIN:NUMBER:DIGEST."
)
@as_json
def verify(noted: list[audit.Head], as_json: bool) -> None:
    """Walk every chain; name the first broken row of each, and the heads to note."""
    with told():
        found = audit.verify(noted)

    def lines() -> Iterator[str]:
        for one in found:
            state = f"BROKEN, {one.broken}" if one.broken else f"whole, {one.head.n} rows, head {one.head}"
            yield f"{one.head.chain}: {state}"

    rows = [
        {"chain": one.head.chain, "length": one.head.n, "head": str(one.head), "broken": one.broken} for one in found
    ]
    show(rows, lines, as_json)
    if any(one.broken for one in found):
        sys.exit(DATA)


@click.command()
def render() -> None:
    """Render comments anew whose html an older renderer made. Run it after an upgrade."""
    total = 0
    while True:
        with told(), transaction():
            done = render_anew(500)
        total += done
        if done < 500:
            break
    click.echo(f"{total:,} comments were rendered anew.")


COMMANDS = (migrate, serve, worker, doctor, audit_group, render)
