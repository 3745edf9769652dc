"""Commands: parse, call one function, print."""

from __future__ import annotations

from flask import Flask

from service.cli import install, keys, moderators, operate, sites, transfer


def register(app: Flask) -> None:
    """Give the app its commands."""
    for command in (
        *operate.COMMANDS,
        *install.COMMANDS,
        keys.group,
        sites.group,
        *moderators.GROUPS,
        *transfer.GROUPS,
    ):
        app.cli.add_command(command)
