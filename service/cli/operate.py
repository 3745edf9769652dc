"""Run it: serve, worker, migrate, doctor, and the upkeep of what is stored."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import click
from flask import current_app
from huey.consumer import Consumer

from service import health, jobs, limits, metrics, prompts, revisions
from service.audit import operations as audit
from service.cli import webs
from service.cli.child import Child, end_with, is_orphan
from service.cli.printing import CONFIG, DATA, as_json, show, told
from service.cli.start import (
    address,
    metrics_option,
    opened,
    preflight,
    refuse_metrics_taken,
    refuse_taken,
    refuse_without_counter,
)
from service.comments.upkeep import render_anew
from service.config import Settings
from service.db import db, transaction
from service.doctor import checks
from service.doctor.live import public_address
from service.doors import settings
from service.privacy.operations import prove_keys

_SPARE = 5.0
"""Seconds that a worker has beyond what one webhook may take, to end what it has begun."""
_ONCE = 60.0
"""Seconds after which `worker --once` begins nothing more."""

_CHILD = click.option("--child", type=int, hidden=True, help="Stop when this process, which started it, is gone.")
_METRICS = click.option("--metrics-port", type=int, hidden=True, help="Tell one's numbers there.")


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
@click.option("--workers", type=click.IntRange(1, 64), default=1, help="Web processes; several need Valkey or Redis.")
@click.option("--fd", type=int, hidden=True, help="Serve on this open socket, as one of several web processes.")
@_CHILD
@_METRICS
def serve(  # noqa: PLR0913 - one for each option
    host: str | None,
    port: int | None,
    worker: bool,
    workers: int,
    fd: int | None,
    child: int | None,
    metrics_port: int | None,
) -> None:
    """Serve, until told to stop. Refuses to start when something is not in order, and says what.

    On SIGHUP several web processes are replaced, one after another.
    """
    listen_at(host, port, metrics_port)
    if child is not None:
        end_with(child)
    if workers > 1:
        refuse_without_counter(settings())
    if fd is None:  # else the parent has looked
        preflight(settings(), settings().host)
        refuse_taken(settings())
        refuse_metrics_taken(settings(), workers + worker)
    db.session.remove()  # a look that stayed open here would keep the database from tidying up behind it
    beside = start_worker(workers) if worker and fd is None else None
    try:
        if workers > 1:
            webs.run(workers, settings())
        else:
            _serve(settings().host, settings().port, opened(fd) if fd is not None else None)
    finally:
        if beside:
            beside.stop()


def listen_at(host: str | None, port: int | None, metrics_port: int | None = None) -> None:
    """Let the settings say what the options of a command say."""
    chosen = settings().at(port or settings().port)
    chosen = replace(chosen, host=host or chosen.host, metrics_port=metrics_port or chosen.metrics_port)
    current_app.extensions["greenroom_settings"] = chosen
    current_app.config["PUBLIC_URL"] = chosen.public_url.rstrip("/")


def _serve(host: str, port: int, there: Any = None) -> None:
    # Here, since the front is above the commands: it is found by its name, like any ASGI server finds it.
    from importlib import import_module

    app = current_app._get_current_object()  # type: ignore[attr-defined]
    import_module("service.front").serve(app, host=host, port=port, listening=there)


def start_worker(webs_before: int = 1) -> Child:
    """Its numbers are told at the port after those of so many web processes."""
    where = metrics_option(settings(), webs_before)
    return Child("the worker", "worker", *where, patience=settings().webhook_timeout + _SPARE)


@click.command()
@click.option("--once", is_flag=True, help="Run every job once, send what is due, and stop.")
@_CHILD
@_METRICS
def worker(once: bool, child: int | None, metrics_port: int | None) -> None:
    """Do the regular work: send webhooks, long bulk decisions, forget what is past its time."""
    listen_at(None, None, metrics_port)
    preflight(settings(), "127.0.0.1")
    if once:
        jobs.run_all()
        prompts.take_all(_ONCE)
        return
    if child is None:
        refuse_metrics_taken(settings(), 1)
    metrics.serve(current_app._get_current_object(), "worker")  # type: ignore[attr-defined]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    prompted = prompts.consumer(settings().webhook_workers)
    prompted.start()
    jobs.regularly("prompts.health", 60, lambda: _keep_threads(prompted))
    try:
        jobs.run_until(lambda tick: stop.wait(tick) or (child is not None and is_orphan(child)))
    finally:
        prompted.stop(graceful=True)


def _keep_threads(prompted: Consumer) -> bool:
    """Threads of the worker that died are replaced."""
    prompted.check_worker_health()
    return False


@click.command()
@click.option("--live", is_flag=True, help="Ask the public address too, by way of what stands before Greenroom.")
@as_json
def doctor(live: bool, as_json: bool) -> None:
    """Look at settings, keys, database, disk, clock and proxy, and say what to do."""
    found = [*health.findings(), health.file()]
    if all(one.ok for one in found):
        found += checks.of_database()
    found += _around(settings())
    if live:
        found += public_address(settings())

    def lines() -> Iterator[str]:
        for one in found:
            yield f"{'FAIL' if not one.ok else 'warn' if one.warns else 'ok  '}  {one.name}: {one.detail}"

    rows = [{"name": one.name, "ok": one.ok, "warns": one.warns, "detail": one.detail} for one in found]
    show(rows, lines, as_json)
    if not all(one.ok for one in found):
        sys.exit(CONFIG)


def _around(chosen: Settings) -> Iterator[health.Finding]:
    yield address(chosen)
    yield checks.room()
    yield _limits(chosen)
    yield checks.proxies(chosen)


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
