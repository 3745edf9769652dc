"""`greenroom` without its start: a process that has all of it imported forks a child for each command.

The examples of the manual call it often, and importing takes more than a second each time.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import until

_STAND_IN = """\
#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as warm:
    warm.connect({path!r})
    asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(warm, [asked], [0, 1, 2])
    sys.exit(int(warm.recv(10)))
"""


@contextmanager
def warmed(place: Path) -> Iterator[Path]:
    """A directory for the front of PATH, whose `greenroom` answers at once while the block lasts."""
    path = place / "warm.socket"
    stand_in = place / "bin" / "greenroom"
    stand_in.parent.mkdir()
    stand_in.write_text(_STAND_IN.format(python=sys.executable, path=str(path)))
    stand_in.chmod(0o700)
    process = subprocess.Popen([sys.executable, "-m", "tests.warm", path], cwd=Path(__file__).parent.parent)
    try:
        until(path.exists, alive=process)
        yield stand_in.parent
    finally:
        process.terminate()
        process.wait()


def _serve(path: str) -> None:
    from service.__main__ import main

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        while True:
            connection, _ = listening.accept()
            asked, files, *_ = socket.recv_fds(connection, 200_000, 3)
            child = os.fork()
            if child == 0:
                for number, file in enumerate(files):
                    os.dup2(file, number)
                arguments, directory, env = json.loads(asked)
                os.chdir(directory)
                os.environ.clear()
                os.environ.update(env)
                sys.argv = ["greenroom", *arguments]
                main()
            _, status = os.waitpid(child, 0)
            connection.send(str(os.waitstatus_to_exitcode(status)).encode())
            for file in (connection.detach(), *files):
                os.close(file)


if __name__ == "__main__":
    _serve(sys.argv[1])
