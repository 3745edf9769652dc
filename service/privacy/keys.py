"""The keys: made once, kept in a file that only the owner can read, or given one by one."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.fernet import Fernet

from service.config import BadSetting, Settings

_NAMES = ("SECRET_KEY", "EMAIL_KEYS", "INDEX_KEY", "AUDIT_KEY")
_TOKEN = "PURGE_TOKEN"  # noqa: S105 - its name
"""A secret of somebody else's, which may stand among ours."""
_SHORTEST = 32
_FEWEST_PAIRS = 20
_OF_EXAMPLES = re.compile("secret|password|change|default|example|greenroom|abcdefgh|12345678|qwerty", re.IGNORECASE)


@dataclass(frozen=True)
class Keys:
    """What signs, seals, finds and chains. `email` is newest first; `purge_token` is shown to the hook of a cache."""

    secret: str
    email: tuple[str, ...]
    index: bytes
    audit: bytes
    purge_token: str = ""

    def __repr__(self) -> str:
        return "Keys(…)"


def obtain(settings: Settings) -> Keys:
    """The keys from the settings, else from the keys file; in development a missing file is made.

    Raises BadSetting naming every key that is missing or unfit.
    """
    given = {
        "SECRET_KEY": settings.secret_key,
        "EMAIL_KEYS": ",".join(settings.email_keys),
        "INDEX_KEY": settings.index_key,
        "AUDIT_KEY": settings.audit_key,
    }
    token, path = settings.purge_token, Path(settings.keys_file).expanduser()
    if not all(given.values()) or (settings.purge_url and not token):
        try:
            if not path.exists() and not settings.production and not any(given.values()):
                create(path)
            found = _read(path)
            given = found | {name: value for name, value in given.items() if value}
            token = token or found.get(_TOKEN, "")
        except OSError as error:
            raise BadSetting(f"GREENROOM_KEYS_FILE: {path} cannot be used: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise BadSetting(f"GREENROOM_KEYS_FILE: {path} is no file of keys.") from error
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise BadSetting(f"GREENROOM_{_TOKEN}: a token has neither spaces nor letters beyond ASCII.")
    return replace(_checked(given, path), purge_token=token)


def create(path: Path) -> None:
    """Write new keys to `path`, readable by its owner only. FileExistsError when it is there already."""
    values = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "EMAIL_KEYS": Fernet.generate_key().decode(),
        "INDEX_KEY": secrets.token_urlsafe(48),
        "AUDIT_KEY": secrets.token_urlsafe(48),
    }
    write(path, values, os.O_EXCL)


def write(path: Path, values: dict[str, str], extra_flags: int = os.O_TRUNC) -> None:
    """Write `values` to `path` in one step: a crash leaves the old file or the new one, never half."""
    fresh = path if extra_flags == os.O_EXCL else path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | extra_flags, 0o600), "w") as file:
        file.write("# Greenroom's keys. Keep a copy apart from the database: without them addresses are lost.\n")
        file.writelines(f"{name}={value}\n" for name, value in values.items())
        file.flush()
        os.fsync(file.fileno())
    if fresh != path:
        fresh.replace(path)


def rotate_email_key(path: Path) -> None:
    """Put a new sealing key first; the old ones still open what they sealed."""
    values = _read(path)
    values["EMAIL_KEYS"] = f"{Fernet.generate_key().decode()},{values['EMAIL_KEYS']}"
    write(path, values)


def retire_email_keys(path: Path) -> None:
    """Forget every sealing key but the newest. Only after every address was sealed anew."""
    values = _read(path)
    values["EMAIL_KEYS"] = values["EMAIL_KEYS"].split(",")[0]
    write(path, values)


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    if path.stat().st_mode & 0o077:
        raise BadSetting(f"{path} can be read by others. Run: chmod 600 {path}")
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _checked(given: dict[str, str], path: Path) -> Keys:
    missing = [f"GREENROOM_{name}" for name in _NAMES if not given.get(name)]
    if missing:
        raise BadSetting(f"{', '.join(missing)} not set, and not in {path}. Run `greenroom keys create`.")
    email = tuple(one.strip() for one in given["EMAIL_KEYS"].split(",") if one.strip())
    for one in email:
        try:
            Fernet(one)
        except ValueError as error:
            raise BadSetting("GREENROOM_EMAIL_KEYS: each must be a Fernet key (32 bytes, base64url).") from error
    values = {name: (given[name],) for name in _NAMES} | {"EMAIL_KEYS": email}
    for name, ours in values.items():
        if any(map(_is_guessable, ours)):
            raise BadSetting(f"GREENROOM_{name} is too easy to guess: give it {_SHORTEST} random characters or more.")
    return Keys(given["SECRET_KEY"], email, given["INDEX_KEY"].encode(), given["AUDIT_KEY"].encode())


def _is_guessable(key: str) -> bool:
    """Whether a key is short, says the same again and again, or holds a word of the kind that examples have."""
    pairs = {key[n : n + 2] for n in range(len(key) - 1)}
    return len(key) < _SHORTEST or len(pairs) < _FEWEST_PAIRS or bool(_OF_EXAMPLES.search(key))
