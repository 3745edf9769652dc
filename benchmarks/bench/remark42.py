"""Remark42, which no registry has: its binary where `REMARK42` names one, else what was once recorded of it.

Its cache is raised here: by default an entry holds 64 kB at most, and longer threads are made anew each time.
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from benchmarks.bench import data
from benchmarks.bench.load import Ask, answered, serving
from benchmarks.servers import megabytes
from tests.processes import environment, free_port

NAME = "Remark42"
RECORDED = {
    "thread of 10": 11_621 / 74,
    "thread of 100": 7_140 / 7.7,
    "thread of 1,000": 1_412 / 0.8,
    "counts of 30 pages": 8_770 / 762,
    "post": 414 / 298,
    "queue": 389 / 35,
}
"""Requests a second on one core over those of Isso in the same run: two shared cores, median of three.

It has no queue, so its list of the last hundred comments stands for it; nothing waits there, so nothing is approved.
"""
ORIGIN = "https://blog.example.org"
POSTS = 8_000
_ADMIN = {"Authorization": "Basic " + base64.b64encode(b"admin:bench-bench").decode()}
_JSON = {"Content-Type": "application/json"}


class Remark42:
    """`program`: its binary. `place`: its data."""

    name = NAME

    def __init__(self, program: Path, place: Path) -> None:
        self.program, self.place, self.pid = program, place, 0

    def seed(self) -> None:
        """By its door: its file has a format of its own."""
        self.place.mkdir(parents=True)
        ids: dict[int, str] = {}
        with self._serving(self.place) as base:
            for one in data.threads():
                told = answered(base, _post([_said(one.page, one.text, ids.get(one.parent or 0, ""))] * 2))[1]
                ids[one.number] = json.loads(told)["id"]

    @contextmanager
    def _serving(self, place: Path) -> Iterator[str]:
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        env = environment(
            REMARK_URL=base, REMARK_PORT=str(port), SECRET="bench", SITE="blog", ADMIN_PASSWD="bench-bench",
            AUTH_ANON="true", STORE_BOLT_PATH=str(place), AVATAR_FS_PATH=str(place / "avatars"),
            BACKUP_PATH=str(place / "backup"), IMAGE_FS_PATH=str(place / "images"), UPDATE_LIMIT="1000000",
            CACHE_MAX_VALUE="10000000", CACHE_MAX_SIZE="500000000",
        )  # fmt: skip
        with serving([str(self.program), "server"], place, env, f"{base}/ping") as pid:
            self.pid = pid
            yield base

    @contextmanager
    def fresh(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            shutil.copytree(self.place, Path(name) / "copy")
            with self._serving(Path(name) / "copy") as base:
                yield base

    def memory(self) -> float:
        return megabytes(self.pid)

    def asks(self, base: str) -> dict[str, Ask]:
        find = "/api/v1/find?site=blog&format=tree&url="
        found = {f"thread of {size:,}": Ask([find + quote(f"{ORIGIN}/{size}/", "")]) for size in data.THREADS}
        pages = json.dumps([ORIGIN + one for one in data.counted()])
        found["counts of 30 pages"] = Ask(["/api/v1/counts?site=blog"], "POST", _JSON, [pages])
        found["queue"] = Ask(["/api/v1/last/100?site=blog"], headers=_ADMIN)
        found["post"] = _post([_said("/100/", data.text(100_000 + number)) for number in range(POSTS)])
        return found


def _post(bodies: list[str]) -> Ask:
    return Ask(["/api/v1/comment?site=blog"], "POST", _JSON | _ADMIN, bodies, once=True, visitors=True, status=(201,))


def _said(page: str, text: str, parent: str = "") -> str:
    return json.dumps({"text": text, "pid": parent, "locator": {"site": "blog", "url": ORIGIN + page}})
