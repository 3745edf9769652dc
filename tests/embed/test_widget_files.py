"""The widget's files: what is served, for how long, and that a page may hold it to its digest."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Callable

import brotli
import pytest
from flask.testing import FlaskClient

from service.embed.widget import release

FOREVER = "public, max-age=31536000, immutable"


def test_the_entry_is_asked_for_anew_each_time(client: FlaskClient) -> None:
    answer = client.get("/widget.js")
    assert answer.content_type == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert client.get("/widget.js", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(("coding", "unpacked"), [("br", brotli.decompress), ("gzip", gzip.decompress)])
def test_it_travels_packed(client: FlaskClient, coding: str, unpacked: Callable[[bytes], bytes]) -> None:
    plain = client.get("/widget.js", headers={"Accept-Encoding": "identity"})
    packed = client.get("/widget.js", headers={"Accept-Encoding": f"deflate, {coding}"})
    assert packed.headers["Content-Encoding"] == coding
    assert unpacked(packed.data) == plain.data == release().entry
    assert len(packed.data) < 0.5 * len(plain.data)
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["ETag"] != packed.headers["ETag"]
    assert plain.vary == packed.vary
    assert "accept-encoding" in plain.vary
    again = {"Accept-Encoding": coding, "If-None-Match": packed.headers["ETag"]}
    assert client.get("/widget.js", headers=again).status_code == 304


def test_of_what_a_browser_takes_it_gets_the_smallest(client: FlaskClient) -> None:
    for name in release().files:
        asked = {"Accept-Encoding": "gzip, deflate, br, zstd"}
        answer = client.get(f"/widget/{release().digest}/{name}", headers=asked)
        assert answer.headers["Content-Encoding"] == "br"


def test_the_pinned_entry_is_what_a_page_may_hold_it_to(client: FlaskClient) -> None:
    answer = client.get(f"/widget.{release().entry_digest}.js")
    assert answer.data == client.get("/widget.js").data
    digest = base64.b64encode(hashlib.sha384(answer.data).digest()).decode()
    assert release().integrity == f"sha384-{digest}"


def test_an_entry_is_the_present_one_under_an_older_address_too(client: FlaskClient) -> None:
    """Asked for anew each time there; its own address is kept for ever, since that changes with it."""
    for digest, kept in (("0123456789abcdef", "no-cache"), (release().entry_digest, FOREVER)):
        answer = client.get(f"/widget.{digest}.js")
        assert (answer.data, answer.headers["Cache-Control"]) == (release().entry, kept)
        again = client.get(f"/widget.{digest}.js", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.headers["Cache-Control"]) == (304, kept)


def test_a_part_of_another_release_is_not_there(client: FlaskClient) -> None:
    answer = client.get("/widget/0123456789abcdef/thread.js")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_entry_says_where_its_parts_are(client: FlaskClient) -> None:
    (folder,) = re.findall(r'PARTS="\./(widget/[0-9a-f]{16}/)"', client.get("/widget.js").text)
    for name in ("thread.js", "kit.js", "lang/read/en.js"):
        answer = client.get(f"/{folder}{name}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


def test_what_is_imported_is_there() -> None:
    files = release().files
    for name, content in files.items():
        for found in re.findall(r'(?:from|import\()\s*"\./([\w/.]+)"', content.decode()):
            assert found in files, f"{name} imports {found}"


def test_what_is_imported_by_name_is_exported() -> None:
    """Also where several sources are one file: then each name is from where it now is, and there once."""
    files = {name: content.decode() for name, content in release().files.items()}
    exported = {
        name: re.findall(r"\bexport (?:async )?(?:function|class|const|let) (\w+)", text)
        for name, text in files.items()
    }
    imports = [
        (name, *found)
        for name, text in files.items()
        for found in re.findall(r'import\{([^}]*)\}from"\./([^"]*)"', text)
    ]
    assert len(imports) > 10
    for name, names, source in imports:
        assert source != name
        assert set(names.split(",")) <= set(exported[source]), f"{name} imports {names} from {source}"
    assert all(len(names) == len(set(names)) for names in exported.values())


def test_no_source_is_served_beside_the_file_that_it_is_in() -> None:
    joined = {"dom.js", "words.js", "looks.js", "store.js", "thread.css", "living.css", "print.css"}
    assert release().files.keys().isdisjoint(joined)
    assert b"content-visibility" in release().files["thread.js"]
    assert b"@media print" in release().files["living.js"]
    assert b"textarea" in release().files["dress.js"]


def test_comments_are_not_served() -> None:
    for name, content in [("widget.js", release().entry), *release().files.items()]:
        assert b"/*" not in content, name
        assert not re.search(rb"(?<![:\"'`\\])//(?!\")", content), name


@pytest.mark.parametrize("path", ["none.js", "../widget.py", "lang/read/xx.js"])
def test_other_files_are_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(f"/widget/{release().digest}/{path}").status_code == 404
