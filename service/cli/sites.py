"""Sites: add, list, set, and the tag for their pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from flask import current_app

from service.cli.printing import DATA, Refusal, as_json, show, told
from service.db import transaction
from service.embed import widget
from service.sites import operations, queries
from service.sites.models import Site
from service.sites.schemas import SiteSettings, settings_from


@click.group("sites")
def group() -> None:
    """The sites of this install."""


@group.command()
@click.argument("key")
@click.option("--name", help="What people call it. Default: the key.")
@click.option(
    "--origin", "origins", multiple=True, required=True, help="https://example.org; the first is the main one."
)
def add(key: str, name: str | None, origins: tuple[str, ...]) -> None:
    """Add a site: `greenroom sites add blog --origin https://blog.example.org`."""
    with told(), transaction():
        SiteSettings.check_key(key)
        called = settings_from([f"name={name or key}"])["name"]
        operations.add_site(key, called, list(origins), actor="command")
    click.echo(f"Added the site {key}.")


@group.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the sites and their settings."""
    found = [_view(site) for site in queries.sites()]

    def lines() -> Iterator[str]:
        for one in found:
            yield f"{one['key']}: {one['name']}"
            yield from (f"    {name} = {value}" for name, value in one.items() if name not in ("key", "name"))

    show(found, lines, as_json)


def _view(site: Site) -> dict[str, Any]:
    return {"key": site.key} | {name: getattr(site, name) for name in SiteSettings().fields}


@group.command("set")
@click.argument("key")
@click.argument("assignments", nargs=-1, required=True, metavar="NAME=VALUE…")
def set_(key: str, assignments: tuple[str, ...]) -> None:
    """Set some of a site's settings: `greenroom sites set blog mode=post rating_max=10`."""
    with told(), transaction():
        site = _site(key)
        operations.change_site(site, settings_from(assignments), actor="command")
    click.echo(f"The site {key} is set.")


@group.command()
@click.argument("key")
@click.option("--page", help="The page that it is for: its address, its path, or an id. Default: wherever it stands.")
@click.option("--pinned", is_flag=True, help="Of this version only: browsers refuse any other.")
def tag(key: str, page: str | None, pinned: bool) -> None:
    """Print the HTML that puts comments on a page: `greenroom sites tag blog --page /reviews/blacksmith`."""
    with told():
        site = _site(key)
    click.echo(widget.tag(current_app.config["PUBLIC_URL"], site.key, page, pinned=pinned))
    if not page:
        click.echo("With --page it has a link to the comments, for browsers that run no script.", err=True)


def _site(key: str) -> Site:
    site = queries.site_of(key)
    if site is None:
        raise Refusal(f"There is no site {key}.", DATA)
    return site
