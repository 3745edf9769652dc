"""Every setting: its name, default and help. The only module that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from environs import Env, EnvError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "GREENROOM_"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")
_QUEUES = ("redis://", "rediss://", "postgresql", "sqlite:///")
_LOOPBACK = "http://127.0.0.1:{}"


class BadSetting(Exception):
    """A setting that cannot be used; the text names it and says what it needs."""


def setting(default: Any, help_: str, kind: str = "str", **more: Any) -> Any:
    """A dataclass field that knows how to be read from the environment."""
    meta = {"help": help_, "kind": kind, "secret": False, "range": (0, 1_000_000), "default": default} | more
    if kind == "list":
        return field(default_factory=lambda: list(default), metadata=meta)
    return field(default=default, metadata=meta)


@dataclass(frozen=True)
class Settings:
    """All settings. `GREENROOM_` + the field's name in capitals is the variable."""

    env: str = setting("development", "`development` or `production`. Production wants its keys, and an https address.")
    public_url: str = setting(
        "http://127.0.0.1:8080",
        "Where browsers reach Greenroom, without a path. Follows the port; required off loopback.",
    )
    host: str = setting("127.0.0.1", "The address to listen on.")
    port: int = setting(8080, "The port to listen on.", "int", range=(1, 65_535))
    database_url: str = setting(
        "sqlite:///greenroom.db", "SQLite file, or `postgresql+psycopg://user:password@host/name`."
    )
    database_pool: int = setting(
        10, "Connections kept open to PostgreSQL by each process.", "int", range=(1, 1_000_000)
    )
    redis_url: str = setting("", "Valkey or Redis for limits shared by processes: `redis://host:6379/0`.")
    jobs_url: str = setting(
        "",
        "Where workers are told at once that there is work: `redis://…`, `postgresql+psycopg://…` or `sqlite:///FILE`. "
        "Default: Valkey or Redis where it is set, else the database, for SQLite a file beside it.",
    )
    keys_file: str = setting("greenroom.keys", "Where the keys are kept when they are not set one by one. Owner-only.")
    secret_key: str = setting("", "Signs sessions and form tokens. 32 characters or more.", secret=True)
    email_keys: list[str] = setting(
        [], "Fernet keys that seal e-mail addresses, newest first, commas between.", "list", secret=True
    )
    index_key: str = setting("", "Makes the blind index of addresses and networks.", secret=True)
    audit_key: str = setting("", "Chains the audit log.", secret=True)
    trusted_proxies: list[str] = setting(
        [], "Addresses or networks of your own proxies. Only they may say who the client is.", "list"
    )
    threads: int = setting(
        8,
        "Requests worked on at once by a process; half of them, and one at least, may write.",
        "int",
        range=(1, 1_000_000),
    )
    max_waiting: int = setting(
        256,
        "Requests that may wait before 503 is answered, of those that read and of others.",
        "int",
        range=(1, 1_000_000),
    )
    cache_mb: int = setting(
        64,
        "Megabytes of published answers that a web process keeps ready; 0 keeps none.",
        "int",
    )
    body_timeout: float = setting(20.0, "Seconds a request body may take to arrive.", "float")
    busy_timeout: float = setting(5.0, "Seconds to wait for a locked database before 503.", "float")
    limits_enabled: bool = setting(True, "Switches every rate limit on or off.", "bool")
    limit_submit: str = setting("6/minute;60/hour", "Comments from one address (a /64 for IPv6).")
    limit_email: str = setting("6/10minute", "Comments with one e-mail address; more are held, silently.")
    limit_page: str = setting("30/minute", "Comments on one page, from everybody.")
    limit_site: str = setting("120/minute", "Comments on one site, from everybody.")
    limit_preview: str = setting("30/minute", "Previews from one address.")
    limit_vote: str = setting("30/minute;300/hour", "Votes from one address.")
    limit_report: str = setting("10/minute;60/hour", "Reports from one address.")
    limit_mine: str = setting("60/minute;600/hour", "Looks at, and changes of, one's own comments from one address.")
    limit_signin: str = setting("5/minute;30/hour", "Failed sign-ins for one account and address.")
    limit_signin_address: str = setting("30/minute;300/hour", "Sign-ins from one address, for all accounts.")
    form_min_seconds: float = setting(3.0, "A form sent sooner than this is held: people are slower.", "float")
    form_max_hours: float = setting(24.0, "A form older than this is held.", "float")
    undo_seconds: float = setting(
        10.0, "How long a decision's events are held back: undone meanwhile, none is sent.", "float"
    )
    import_max_mb: int = setting(
        2048, "Largest export that will be imported, unpacked, in MB.", "int", range=(1, 1_000_000)
    )
    check_deliverability: bool = setting(
        False, "The worker looks up whether an address' domain takes mail, and notes it for moderators.", "bool"
    )
    webhook_workers: int = setting(8, "Webhooks that a worker sends at once.", "int", range=(1, 1_000))
    webhook_timeout: float = setting(
        15.0, "Seconds that a receiver may take for everything, at most 45.", "float", range=(0.1, 45)
    )
    webhook_http: bool = setting(
        False, "Send webhooks to http addresses, too. Others can read them on the way.", "bool"
    )
    webhook_ports: list[str] = setting(
        ["443"], "Ports of receivers, commas between. With GREENROOM_WEBHOOK_HTTP 80, too.", "list"
    )
    webhook_allow_cidrs: list[str] = setting(
        [], "Networks inside that webhooks may be sent to, on any port, commas between.", "list"
    )
    purge_url: str = setting("", "Where a cache in front is told what it has to forget; see [operating](operating.md).")
    purge_token: str = setting("", "What Greenroom says there to be believed, as a bearer token.", secret=True)
    shared_max_age: int = setting(
        300,
        "Seconds that a cache in front may keep what it is told to forget. Only with GREENROOM_PURGE_URL.",
        "int",
        range=(1, 86_400),
    )
    webhook_log_days: int = setting(30, "Days that deliveries are kept once they are done.", "int", range=(1, 3_650))
    metrics_port: int = setting(
        0,
        "Where a process tells its numbers to Prometheus; 0: nowhere. Each further process of `greenroom serve` takes "
        "the next port.",
        "int",
        range=(0, 65_535),
    )
    metrics_host: str = setting("127.0.0.1", "The address of that port. Whoever reaches it may read: no passwords.")
    log_level: str = setting("INFO", "DEBUG, INFO, WARNING or ERROR.")

    def at(self, port: int) -> Settings:
        """The same on another port. The public address changes with it, if it is the one of the port until now."""
        here = self.public_url == _LOOPBACK.format(self.port)
        return replace(self, port=port, public_url=_LOOPBACK.format(port) if here else self.public_url)

    @property
    def production(self) -> bool:
        return self.env == "production"

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def prompts_url(self) -> str:
        """Where prompts are put; see `jobs_url`."""
        if self.jobs_url or self.redis_url:
            return self.jobs_url or self.redis_url
        return self.database_url.removesuffix(".db") + ".jobs.db" if self.sqlite else self.database_url

    @property
    def webhook_networks(self) -> list[IPv4Network | IPv6Network]:
        return [ip_network(one, strict=False) for one in self.webhook_allow_cidrs]

    @property
    def proxy_networks(self) -> list[IPv4Network | IPv6Network]:
        return [ip_network(one, strict=False) for one in self.trusted_proxies]


def variable(one: Field[Any]) -> str:
    return PREFIX + one.name.upper()


def load() -> Settings:
    """Read the settings from the environment; BadSetting names the first one that cannot be used."""
    env = Env()
    values: dict[str, Any] = {}
    for one in fields(Settings):
        try:
            if variable(one) in os.environ:  # noqa: TID251 - the one place
                values[one.name] = getattr(env, one.metadata["kind"])(variable(one))
        except EnvError as error:
            raise BadSetting(f"{variable(one)} is not a valid {one.metadata['kind']}.") from error
    settings = Settings(**values)
    if "public_url" not in values:
        settings = replace(settings, public_url=_LOOPBACK.format(settings.port))
    _check(settings)
    return replace(settings, public_url=settings.public_url.rstrip("/"))


def traces_wanted() -> bool:
    """By OpenTelemetry's own variables: where it is told where, or by which way, traces go."""
    told = os.environ  # noqa: TID251 - the one place
    if told.get("OTEL_SDK_DISABLED", "").lower() == "true" or told.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    where = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER")
    return any(told.get(one) for one in where)


def _check(settings: Settings) -> None:
    if settings.env not in ("development", "production"):
        raise BadSetting("GREENROOM_ENV must be development or production.")
    if settings.log_level not in _LEVELS:
        raise BadSetting("GREENROOM_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR.")
    _check_database(settings.database_url)
    for one in fields(Settings):
        least, most = one.metadata["range"]
        if one.metadata["kind"] in ("int", "float") and not least <= getattr(settings, one.name) <= most:
            raise BadSetting(f"{variable(one)} must be a number from {least:,} to {most:,}.")
    _check_lists(settings)
    if settings.jobs_url and not settings.jobs_url.startswith(_QUEUES):
        raise BadSetting("GREENROOM_JOBS_URL must begin with redis://, rediss://, postgresql+psycopg:// or sqlite:///.")


def _check_lists(settings: Settings) -> None:
    parsed: dict[str, Callable[[], object]] = {
        "TRUSTED_PROXIES": lambda: settings.proxy_networks,
        "WEBHOOK_ALLOW_CIDRS": lambda: settings.webhook_networks,
        "WEBHOOK_PORTS": lambda: [int(one) for one in settings.webhook_ports],
    }
    for name, parse in parsed.items():
        try:
            parse()
        except ValueError as error:
            raise BadSetting(f"GREENROOM_{name}: {error}.") from error


def _check_database(url: str) -> None:
    try:
        known = make_url(url).drivername in _DATABASES
    except (ArgumentError, ValueError):  # their words quote the URL, and so its password
        known = False
    if not known:
        raise BadSetting("GREENROOM_DATABASE_URL must begin with sqlite:/// or postgresql+psycopg://.")
