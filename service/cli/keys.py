"""The keys: make them, rotate the one that seals addresses."""

from __future__ import annotations

from pathlib import Path

import click

from service import config
from service.cli.printing import CONFIG, Refusal, told
from service.comments.rotation import finish, reseal_some
from service.db import transaction
from service.doors import settings
from service.privacy import keys


@click.group("keys")
def group() -> None:
    """The keys that sign, seal, find and chain."""


@group.command()
def create() -> None:
    """Make a keys file, readable by its owner only. One that is there is left alone."""
    # Not `settings()`: there is no app yet, since it does not start without keys.
    with told():
        path = Path(config.load().keys_file).expanduser()
    try:
        keys.create(path)
    except FileExistsError as error:
        raise Refusal(f"{path} is there already, and was left alone.", CONFIG) from error
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror}.", CONFIG) from error
    click.echo(f"New keys are in {path}. Keep a copy apart from the database.")


@group.command()
def rotate() -> None:
    """Seal every address with a new key, then forget the old one. Safe to stop and repeat.

    Running processes must be restarted after the first step: they learn the new key at their start.
    """
    path = _file("put a new one first in GREENROOM_EMAIL_KEYS, then `greenroom keys reseal`")
    with told():
        keys.rotate_email_key(path)
    click.echo("A new key stands first in the keys file. Restart Greenroom, then run: greenroom keys reseal")


@group.command()
@click.option("--retire", is_flag=True, help="Forget the old keys in the keys file afterwards.")
def reseal(retire: bool) -> None:
    """Seal every address anew with the first key."""
    path = _file("reseal without --retire, then take the old ones out of GREENROOM_EMAIL_KEYS") if retire else None
    total, after = 0, None
    while True:
        with told(), transaction():
            done, after = reseal_some(after, 500)
        total += done
        if after is None:
            break
    with told(), transaction():
        finish()
    click.echo(f"{total:,} addresses are sealed with the newest key.")
    if path:
        with told():
            keys.retire_email_keys(path)
        click.echo("The old keys are forgotten.")


def _file(otherwise: str) -> Path:
    """The keys file. Refused when it holds no sealing keys, or others count: then there is something else to do."""
    path = Path(settings().keys_file).expanduser()
    if settings().email_keys or not path.exists():
        raise Refusal(f"The keys are set one by one: {otherwise}.", CONFIG)
    return path
