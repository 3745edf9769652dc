"""`greenroom …` and `python -m service …`."""

from __future__ import annotations

import logging
import os
import sys

import click
from flask import Flask
from flask.cli import FlaskGroup

from service import __version__
from service.app import create_app
from service.cli import keys, listen
from service.cli.printing import DATA
from service.config import BadSetting

_MISTAKE = 70
"""EX_SOFTWARE of sysexits.h."""


def main() -> None:
    """Run a command. Exit code 78 when a setting or a key cannot be used, 70 when something unexpected happens."""
    if any("\udc80" <= letter <= "\udcff" for word in sys.argv for letter in word):  # bytes that are no UTF-8
        click.echo("Error: What was typed is not all text in UTF-8.", err=True)
        sys.exit(DATA)
    os.umask(0o077)  # what is written here is its owner's alone: the database, its keys, a demo's login
    if sys.argv[1:3] == ["keys", "create"]:
        keys.group.main(args=sys.argv[2:], prog_name="greenroom keys")
    if sys.argv[1:2] == ["listen"]:  # on an integrator's machine, where there are no keys and no database
        listen.listen.main(args=sys.argv[2:], prog_name="greenroom listen")
    try:
        commands().main(prog_name="greenroom")
    except Exception as error:
        # Told as the log tells it, by type and place: its words may quote what somebody wrote.
        logging.getLogger(__name__).critical("unexpected %s", type(error).__name__, exc_info=error)
        sys.exit(_MISTAKE)


class Commands(FlaskGroup):
    """The commands of the app, without those that libraries announce to whatever Flask app is there."""

    def _load_plugin_commands(self) -> None:
        pass


def commands() -> Commands:
    """All of `greenroom`."""
    group = Commands(
        create_app=_app,
        add_default_commands=False,
        add_version_option=False,
        set_debug_flag=False,
        load_dotenv=False,
        help="Greenroom: comments wait in the green room until a moderator lets them on stage.",
        context_settings={"auto_envvar_prefix": None},
    )
    # Settings come from GREENROOM_*; Flask's own options and variables would be a second way in.
    group.params = []
    click.version_option(__version__, prog_name="greenroom")(group)
    return group


def _app() -> Flask:
    """The app, made when a command first needs it: telling the version makes no keys."""
    try:
        return create_app()
    except BadSetting as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(78)


if __name__ == "__main__":
    main()
