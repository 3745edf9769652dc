"""The demo: a site, a moderator and a token, ready to try; made once, told each time."""

from __future__ import annotations

import json
import logging
import os
import secrets
from pathlib import Path
from typing import Any

import click

from service.accounts import operations as accounts
from service.accounts import queries as people
from service.accounts.operations import NewToken
from service.cli.operate import listen_at, serve, upgrade
from service.cli.printing import told
from service.cli.start import preflight, refuse_taken
from service.config import Settings
from service.db import transaction
from service.doors import settings
from service.sites import operations as sites
from service.sites import queries
from service.sites.addresses import normal_origin

_SITE = "demo"
_LOGIN = "moderator@demo.example.org"
_FILE = "greenroom.demo"
_HERE = ("http://127.0.0.1:", "http://localhost:")
_POLICY: dict[str, Any] = {"rating_max": 10.0, "schema_type": "TVSeries"}


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), help="The port to listen on.")
@click.option("--prepare-only", is_flag=True, help="Make everything, print it, and do not serve.")
@click.pass_context
def demo(context: click.Context, port: int | None, prepare_only: bool) -> None:
    """Make keys, database, a site and a moderator; print how to get in; serve."""
    listen_at(None, port)
    if not prepare_only:
        refuse_taken(settings())
    with told():
        upgrade()
        preflight(settings(), settings().host)  # before anything is written with keys of another database
        login = prepare(settings())
    click.echo(_words(settings().public_url, login))
    if not prepare_only:
        click.echo("  Ctrl-C stops it.\n")
        if settings().log_level == "INFO":
            # A line for each request would carry these words away.
            logging.getLogger().setLevel(logging.WARNING)
        context.invoke(serve, host=None, port=port, worker=True)


def prepare(chosen: Settings) -> dict[str, str]:
    """The demo's site, moderator and token; what was made before is kept. Returns how to get in."""
    path = Path(_FILE)
    origins = list(dict.fromkeys(map(normal_origin, (chosen.public_url, f"http://localhost:{chosen.port}"))))
    _follow_the_port(origins)
    if path.exists() and people.moderator_at(_LOGIN):
        kept: dict[str, str] = json.loads(path.read_text())
        return kept
    login = {"email": _LOGIN, "password": secrets.token_urlsafe(12)}
    with transaction():
        site = queries.site_of(_SITE)
        if site is None:
            site = sites.add_site(_SITE, "Greenroom demo", origins, actor="command")
            sites.change_site(site, _POLICY, actor="command")
        moderator = people.moderator_at(_LOGIN)
        if moderator is None:
            moderator = accounts.add_moderator(_LOGIN, "Robin", login["password"], actor="command")
            accounts.grant(moderator, site.id, "owner", actor="command")
        else:
            accounts.set_password(moderator, login["password"], actor="command")
        wanted = NewToken(name="demo", scopes=("read", "moderate", "manage"), site_id=site.id)
        login["token"] = accounts.issue_token(moderator, wanted, actor="command").secret
        # Inside the transaction: a login that is in no file must be in no database either.
        _keep(path, login)
    return login


def _follow_the_port(origins: list[str]) -> None:
    """The demo may run on another port than the last time: its origins and its pages are there now."""
    with transaction():
        site = queries.site_of(_SITE)
        if site is None or set(origins) <= set(site.origins):
            return
        left = [one for one in _pairs(site.origins) if one not in origins]
        others = [one for one in site.origins if one not in (*left, *origins)]
        sites.change_site(site, {"origins": [*origins, *others]}, actor="command")
        for one in left:
            sites.follow(site, one, origins[-1] if one.startswith(_HERE[1]) else origins[0])


def _pairs(origins: list[str]) -> list[str]:
    """Origins that an earlier start gave: they come in twos. One alone is somebody's own site on this machine."""
    ports = {name: {one.removeprefix(name) for one in origins if one.startswith(name)} for name in _HERE}
    both = set.intersection(*ports.values())
    return [f"{name}{port}" for port in both for name in _HERE]


def _keep(path: Path, login: dict[str, str]) -> None:
    """Write the login where only the owner can read it."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(login, file, indent=2)


def _words(address: str, login: dict[str, str]) -> str:
    return f"""
  Greenroom is ready.

    The review page   {address}/
    The desk          {address}/desk
    API reference     {address}/docs

    Moderator         {login["email"]}
    Password          {login["password"]}
    API token         {login["token"]}
                      (kept in {Path(_FILE).resolve()}, readable by you only)

  Leave a reply on the review page, approve it at the desk, and see it appear.
  Next, bring the comments of a WordPress site; the last line says where to see them:

    .venv/bin/greenroom import wordpress export.xml --site demo
"""


COMMANDS = (demo,)
