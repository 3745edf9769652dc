"""Exports that were made to harm: refused at once, no other file opened, no memory eaten."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from service.transfer import wordpress
from service.transfer.foreign import UnreadableExport
from service.transfer.report import Reading

from .exports import HEAD, comment, comments_in, export, item, saved

QUICK = 2.0
LONG = 2_000

LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
BOMBS: dict[str, str | bytes] = {
    "billion laughs": f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]>' + export(item(comment(content="&l9;"))),
    "quadratic": f'<!DOCTYPE rss [<!ENTITY a "{"a" * 50_000}">]>' + export(item(comment(content="&a;" * 50_000))),
    "200,000 deep": HEAD + "<a>" * 200_000,
    "endless tag": HEAD + '<a b="' + "c" * 20_000_000,
    "endless remark": HEAD + "<!--" + "c" * 20_000_000,
    "endless value": export(item(comment(content="c" * 20_000_000))),
    "outside file": '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + export(item(comment(content="&x;"))),
    "outside type": '<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/x.dtd">' + export(item(comment())),
    "utf-16 type": ('<!DOCTYPE rss [<!ENTITY x "y">]>' + export(item(comment()))).encode("utf-16"),
    "gzip": gzip.compress(export(item(comment(content="<b/>" * 16_000_000))).encode(), 9),
    "gzip in gzip": gzip.compress(gzip.compress(b" " * 50_000_000)),
    "cut gzip": gzip.compress(export(item(comment())).encode())[:-20],
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path, BOMBS[name])
    started = time.process_time()  # of this process alone: a busy machine makes no bomb
    with pytest.raises(UnreadableExport):
        list(wordpress.read(path))
    assert time.process_time() - started < QUICK


def test_more_than_may_be_imported_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, gzip.compress(export(item(comment(content="word " * 40_000))).encode()))
    with pytest.raises(UnreadableExport, match="100,000 bytes"):
        list(wordpress.read(path, max_bytes=100_000))


def test_a_document_type_is_refused_with_its_line(tmp_path: Path) -> None:
    path = saved(tmp_path, "<?xml version='1.0'?>\n\n<!DOCTYPE rss>\n<rss/>")
    with pytest.raises(UnreadableExport, match="Line 3: The file declares a document type"):
        list(wordpress.read(path))


WATCHED = """
import json, sys, time
from pathlib import Path
from service.transfer import wordpress
from service.transfer.foreign import UnreadableExport

touched, results = [], {}
def watch(event, arguments):
    named = str(arguments[0]) if arguments else ""
    if event.startswith(("socket.", "urllib.")) or event == "open" and not named.startswith(sys.base_prefix):
        touched.append(named)
paths = [Path(name) for name in sys.argv[1:]]
sys.addaudithook(watch)
for path in paths:
    started = time.process_time()
    try:
        rows = len(list(wordpress.read(path)))
    except UnreadableExport:
        rows = 0
    results[str(path)] = (rows, time.process_time() - started)
print(json.dumps([touched, results]))
"""


def test_no_known_attack_opens_anything_or_takes_long(shared: Path, tmp_path: Path) -> None:
    texts = json.loads((shared / "corpora" / "payloadsallthethings" / "xxe.json").read_text())
    paths = [str(saved(tmp_path, text, f"{number}.xml")) for number, text in enumerate(texts)]
    done = subprocess.run([sys.executable, "-c", WATCHED, *paths], capture_output=True, check=True, text=True)
    touched, results = json.loads(done.stdout)
    assert touched == paths
    assert len(paths) >= 50
    assert {rows for rows, _ in results.values()} == {0}
    assert max(seconds for _, seconds in results.values()) < QUICK


@pytest.fixture(scope="module")
def long_thread(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of ten megabytes: LONG comments on one page."""
    path = tmp_path_factory.mktemp("long") / "export.xml"
    head, tail = export(item("#")).split("#")
    with path.open("w") as file:
        file.write(head)
        file.writelines(comment(id=str(n), parent=str(n // 2), content=f"{n} {'word ' * 1_000}") for n in range(LONG))
        file.write(tail)
    return path


def peak(read: Callable[[], int]) -> int:
    """Kilobytes that were held at once while all comments were read."""
    tracemalloc.start()
    try:
        assert read() == LONG
        return tracemalloc.get_traced_memory()[1] // 1024
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_export(long_thread: Path) -> None:
    def read() -> int:
        reading = Reading("wxr")
        for row in wordpress.read(long_thread):
            reading.add(row)
        comments: int = reading.as_dict()["comments"]
        return comments

    assert peak(read) < 3_000


def test_the_measure_of_memory_can_see_growth(long_thread: Path) -> None:
    assert peak(lambda: len(list(wordpress.read(long_thread))) - 1) > 10_000


def test_markup_of_comments_is_left_for_the_sanitiser(tmp_path: Path) -> None:
    path = saved(tmp_path, export(item(comment(content="<![CDATA[<script>alert(1)</script>]]>"))))
    [found] = comments_in(path)
    assert found.body == "<script>alert(1)</script>"
