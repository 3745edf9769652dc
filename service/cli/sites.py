"""Sites: add, list, set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from service.cli.printing import DATA, Refusal, as_json, show, told
from service.db import transaction
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
        site = queries.site_of(key)
        if site is None:
            raise Refusal(f"There is no site {key}.", DATA)
        operations.change_site(site, settings_from(assignments), actor="command")
    click.echo(f"The site {key} is set.")
