"""Moderators and their tokens."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import click

from service.accounts import factors, operations, passkeys, queries
from service.accounts.models import ROLES, SCOPES, Moderator
from service.accounts.operations import NewToken
from service.cli.printing import DATA, Refusal, as_json, show, told
from service.db import now, transaction
from service.sites import queries as sites
from service.sites.models import Site

_NONE = "none"


@click.group("moderators")
def moderators() -> None:
    """Who may sign in, and what they may do where."""


@moderators.command()
@click.argument("email")
@click.option("--name", required=True, help="The name that other moderators see.")
@click.option("--site", "site_key", help="The site of the role.")
@click.option("--role", type=click.Choice(list(ROLES)), default="moderator", show_default=True)
@click.option("--admin", is_flag=True, help="Admin of the install: everything on every site.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; else one is made.")
def add(  # noqa: PLR0913 - one for each option
    email: str, name: str, site_key: str | None, role: str, admin: bool, password_stdin: bool
) -> None:
    """Add a moderator. Somebody who is one already is changed by `greenroom moderators set`."""
    if not admin and not site_key:
        raise Refusal("Say where: --site SITE, or --admin for every site.", DATA)
    typed = sys.stdin.readline().rstrip("\n") if password_stdin else None
    made = typed or secrets.token_urlsafe(12)
    with told(), transaction():
        if queries.moderator_at(operations.normal_address(email)):
            raise Refusal(f"{email} is a moderator already. Change them with: greenroom moderators set", DATA)
        moderator = operations.add_moderator(email, name, made, is_admin=admin, actor="command")
        if site_key:
            operations.grant(moderator, _site(site_key).id, role, actor="command")
    click.echo(f"{moderator.name} ({moderator.email}) " + (f"is {role} of {site_key}." if site_key else "is admin."))
    if not typed:
        click.echo(f"Password, shown once: {made}")


@moderators.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the moderators with their roles."""
    keys = {site.id: site.key for site in sites.sites()}
    found = [
        {
            "email": one.email,
            "name": one.name,
            "admin": one.is_admin,
            "active": one.active,
            "roles": {keys[site_id]: role for site_id, role in queries.roles_of(one.id).items()},
        }
        for one in queries.moderators()
    ]

    def lines() -> Iterator[str]:
        for one in found:
            roles = ", ".join(f"{role} of {key}" for key, role in dict(one["roles"]).items())  # type: ignore[call-overload]
            more = [text for text, is_so in (("admin", one["admin"]), ("closed", not one["active"])) if is_so]
            yield f"{one['email']}  {one['name']}  {', '.join([*more, roles] if roles else more)}"

    show(found, lines, as_json)


@moderators.command("set")
@click.argument("email")
@click.option("--name", help="The name that other moderators see.")
@click.option("--site", "site_key", help="The site of the role.")
@click.option("--role", type=click.Choice([*ROLES, _NONE]), help="The role on that site; none takes it away.")
@click.option("--admin/--no-admin", default=None, help="Admin of the install, or no longer.")
@click.option("--close/--reopen", "closed", default=None, help="Let them in no more, or again. Closing ends all.")
def set_(  # noqa: PLR0913 - one for each option
    email: str, name: str | None, site_key: str | None, role: str | None, admin: bool | None, closed: bool | None
) -> None:
    """Change a moderator: name, role on a site, admin or not, closed or not."""
    if bool(site_key) != bool(role):
        raise Refusal("A role is of a site: give --site and --role together.", DATA)
    if all(one is None for one in (name, role, admin, closed)):
        raise Refusal("Say what to set: --name, --site with --role, --admin, --no-admin, --close or --reopen.", DATA)
    with told(), transaction():
        moderator = _moderator(email)
        if name is not None:
            operations.rename(moderator, name, actor="command")
        if site_key and role:
            _give(moderator, _site(site_key), role)
        if admin is not None:
            operations.set_admin(moderator, admin, actor="command")
        if closed is not None:
            operations.set_active(moderator, not closed, actor="command")
    click.echo(f"{moderator.name} ({moderator.email}) is set.")


def _give(moderator: Moderator, site: Site, role: str) -> None:
    if role == _NONE:
        operations.withdraw(moderator, site.id, actor="command")
    else:
        operations.grant(moderator, site.id, role, actor="command")


@moderators.command()
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; else one is made.")
@click.option("--end-tokens", is_flag=True, help="End every token of theirs as well.")
def passwd(email: str, password_stdin: bool, end_tokens: bool) -> None:
    """Set a moderator's password; every session of theirs ends."""
    typed = sys.stdin.readline().rstrip("\n") if password_stdin else None
    made = typed or secrets.token_urlsafe(12)
    with told(), transaction():
        moderator = _moderator(email)
        operations.set_password(moderator, made, actor="command")
        ended = operations.end_tokens(moderator, actor="command") if end_tokens else 0
    click.echo("The password is set." if typed else f"Password, shown once: {made}")
    if end_tokens:
        click.echo(f"Tokens that open nothing any more: {ended}.")


@moderators.command("reset-factors")
@click.argument("email")
def reset_factors(email: str) -> None:
    """Ask somebody who lost phone or key for their password alone: no codes, no passkeys."""
    with told(), transaction():
        moderator = _moderator(email)
        codes = factors.switch_off(moderator, actor="command")
        keys = passkeys.remove_all(moderator, actor="command")
    found = [text for text, is_so in (("codes are off", codes), (f"{keys} passkeys are removed", keys)) if is_so]
    click.echo(f"{moderator.name} ({moderator.email}): {', '.join(found) or 'there was nothing to switch off'}.")


@click.group("tokens")
def tokens() -> None:
    """API tokens: scoped, shown once, stored hashed."""


@tokens.command("add")
@click.argument("email")
@click.option("--name", required=True, help="What the token is for.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), default=("read",), show_default=True)
@click.option("--site", "site_key", help="Good for this site only.")
@click.option("--days", type=click.IntRange(1, 36_500), help="Days until it ends. Default: no end.")
def add_token(email: str, name: str, scopes: tuple[str, ...], site_key: str | None, days: int | None) -> None:
    """Issue a token in a moderator's name."""
    with told(), transaction():
        wanted = NewToken(
            name=name,
            scopes=scopes,
            site_id=_site(site_key).id if site_key else None,
            expires_at=now() + timedelta(days=days) if days else None,
        )
        issued = operations.issue_token(_moderator(email), wanted, actor="command")
    click.echo(f"Token {issued.token.id}, shown once: {issued.secret}")


@tokens.command("list")
@click.argument("email")
@as_json
def list_tokens(email: str, as_json: bool) -> None:
    """List a moderator's tokens."""
    with told():
        rows = queries.tokens_of(_moderator(email).id)
    found = [
        {
            "id": one.id,
            "name": one.name,
            "scopes": one.scopes,
            "expires_at": one.expires_at,
            "revoked_at": one.revoked_at,
        }
        for one in rows
    ]

    def lines() -> Iterator[str]:
        for one in rows:
            yield f"{one.id}  {one.name}  {','.join(one.scopes)}{'  revoked' if one.revoked_at else ''}"

    show(found, lines, as_json)


@tokens.command("revoke")
@click.argument("token_id", type=click.UUID)
def revoke(token_id: UUID) -> None:
    """End a token at once."""
    with told(), transaction():
        token = queries.token_by_id(token_id)
        if token is None:
            raise Refusal("There is no token by that id.", DATA)
        operations.revoke_token(token, actor="command")
    click.echo("The token opens nothing any more.")


def _moderator(email: str) -> Moderator:
    found = queries.moderator_at(operations.normal_address(email))
    if found is None:
        raise Refusal(f"There is no moderator {email}.", DATA)
    return found


def _site(key: str) -> Site:
    found = sites.site_of(key)
    if found is None:
        raise Refusal(f"There is no site {key}.", DATA)
    return found


GROUPS = (moderators, tokens)
