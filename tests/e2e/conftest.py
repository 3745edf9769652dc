"""The demo as a newcomer starts it, people at their windows, and pages elsewhere."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.browser import Watch, windows
from tests.processes import ask, environment, free_port, run, running, until


@dataclass(frozen=True)
class Demo:
    """A served demo and its moderator's login. Its database and log are in `place`."""

    url: str
    place: Path
    env: Mapping[str, str]
    email: str
    password: str
    token: str

    def command(self, *words: str) -> str:
        """What `greenroom …` prints, run beside the server."""
        done = run(*words, cwd=self.place, env=self.env)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def serving_demo(place: Path, **settings: str) -> Iterator[Demo]:
    """`greenroom demo` in an empty directory, while the block lasts."""
    port, env = free_port(), environment(**settings)
    url = f"http://127.0.0.1:{port}"
    with running("demo", "--port", str(port), cwd=place, env=env) as process:
        until(lambda: ask(f"{url}/readyz")[0] == 200, alive=process)
        login = json.loads((place / "greenroom.demo").read_text())
        yield Demo(url, place, env, **login)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for all stories that do not mind what others left on other pages."""
    with serving_demo(tmp_path_factory.mktemp("demo")) as served:
        yield served


@pytest.fixture
def watch(demo: Demo) -> Watch:
    return Watch((demo.url,))


@pytest.fixture
def open_window(chromium: Any, watch: Watch) -> Iterator[Callable[[], Any]]:
    """Opens windows that reach the demo. No request of theirs may go elsewhere, no page break its own policy."""
    with windows(chromium, watch) as opening:
        yield opening
    assert watch.asked > 0
    assert (watch.foreign, watch.breaches, watch.errors, watch.dialogs) == ([], [], [], [])


@contextmanager
def serving(origin: str, pages: Mapping[str, str]) -> Iterator[None]:
    """Somebody else's site at an origin of this machine, while the block lasts."""

    def site(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        page = pages.get(environ["PATH_INFO"].encode("latin-1").decode())  # as PEP 3333 has it
        start("200 OK" if page else "404 Not Found", [("Content-Type", "text/html; charset=utf-8")])
        return [(page or "").encode()]

    with listening(origin, site):
        yield


@contextmanager
def listening(
    origin: str, site: Callable[..., Iterable[bytes]], certified: ssl.SSLContext | None = None
) -> Iterator[None]:
    """A WSGI application at an origin of this machine, while the block lasts."""
    server = make_server(
        "127.0.0.1", int(origin.rpartition(":")[2]), site, True, request_handler=_Quiet, ssl_context=certified
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - as werkzeug has it
        pass
