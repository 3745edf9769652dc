"""A real nginx in front of somebody else's pages, with what the manual tells it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.processes import PATIENCE, until

from .recipes import blocks

_CONFIG = """
daemon off;
pid nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    default_type "text/html; charset=utf-8";
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {
        listen %s;
        root pages;
        %s
    }
}
"""


def include(page: str, title: str) -> str:
    """The manual's line for a page, with this address and title as they stand in a query."""
    (found,) = [text for told, text in blocks("A fragment in your own HTML", "embedding.md") if told == "html"]
    for there, ours in (("=/reviews/blacksmith&", page), ("=Blacksmith&", title)):
        assert found.count(there) == 1
        found = found.replace(there, f"={quote(ours)}&")
    return found


def locations(service: str) -> str:
    """The manual's part of nginx' configuration, with Greenroom where it is in this test."""
    (found,) = [text for told, text in blocks("A fragment in your own HTML", "embedding.md") if told == "nginx"]
    assert found.count("https://comments.example.org/") == 1
    return found.replace("https://comments.example.org/", f"{service}/")


@contextmanager
def serving_by_nginx(origin: str, pages: Mapping[str, str], locations: str) -> Iterator[None]:
    """nginx at an origin of this machine while the block lasts: `index.html` of each path, and these locations."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if program is None:
        pytest.skip("no nginx; Debian's package is `nginx`")
    # Not below pytest's own directory: started by root, nginx is another user, and pytest shuts others out.
    place = Path(tempfile.mkdtemp(prefix="greenroom-nginx-"))
    try:
        for path, text in pages.items():
            (place / "pages" / path[1:]).mkdir(parents=True)
            (place / "pages" / path[1:] / "index.html").write_text(text, encoding="utf-8")
        (place / "nginx.conf").write_text(_CONFIG % (urlsplit(origin).netloc, locations), encoding="utf-8")
        with _running(program, place) as process:
            until(lambda: _listens(origin), alive=process)
            yield
    finally:
        shutil.rmtree(place)


@contextmanager
def _running(program: str, place: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The server, never as root: it reads and writes below `place` alone."""
    nobody = pwd.getpwnam("nobody")
    who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    if who:
        for one in (place, *place.rglob("*")):
            os.chown(one, nobody.pw_uid, nobody.pw_gid)
    process = subprocess.Popen([program, "-e", "stderr", "-p", place, "-c", "nginx.conf"], **who)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _listens(origin: str) -> bool:
    parts = urlsplit(origin)
    try:
        socket.create_connection((parts.hostname, parts.port)).close()
    except OSError:
        return False
    return True
