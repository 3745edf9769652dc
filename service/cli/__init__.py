"""Commands: parse, call one function, print."""

from __future__ import annotations

from flask import Flask

from service.cli import install, keys, listen, moderators, operate, sites, start, transfer

COMMANDS = {
    one.name or "": one
    for one in (
        *operate.COMMANDS,
        *install.COMMANDS,
        *listen.COMMANDS,
        keys.group,
        sites.group,
        *moderators.GROUPS,
        *transfer.GROUPS,
    )
}
"""Every command of ours, by its name."""

for _name, _command in COMMANDS.items():
    start.fit_first(_command, _name)


def register(app: Flask) -> None:
    """Give the app its commands."""
    for command in COMMANDS.values():
        app.cli.add_command(command)
