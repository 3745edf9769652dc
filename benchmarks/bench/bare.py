"""uvicorn that answers the same bytes to everybody: what is left when nothing has to be done."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bench.load import serving
from tests.processes import environment, free_port

NAME = "bare server"
PROGRAM = """
import sys, uvicorn
body, port = open(sys.argv[1], "rb").read(), int(sys.argv[2])
start = {"type": "http.response.start", "status": 200, "headers": [
    (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]}
end = {"type": "http.response.body", "body": body}

async def app(scope, receive, send):
    await send(start)
    await send(end)

uvicorn.run(app, host="127.0.0.1", port=port, lifespan="off", log_level="error", access_log=False)
"""


@contextmanager
def answering(body: bytes, core: int = 0) -> Iterator[str]:
    """The URL of such a server on one core."""
    with tempfile.TemporaryDirectory(prefix="bench-bare-") as name:
        place, port = Path(name), free_port()
        (place / "body").write_bytes(body)
        command = [sys.executable, "-c", PROGRAM, str(place / "body"), str(port)]
        with serving(command, place, environment(), f"http://127.0.0.1:{port}/", core):
            yield f"http://127.0.0.1:{port}"
