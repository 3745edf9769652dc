"""Commands as an operator types them: what they print, their exit codes, what they refuse."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from service.embed.widget import release
from tests.cli.inprocess import run
from tests.processes import environment

ENV = environment()


@pytest.fixture(scope="module")
def migrated_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `greenroom migrate` makes in an empty directory. Only to be copied."""
    made = tmp_path_factory.mktemp("migrated")
    assert run("migrate", cwd=made, env=ENV).returncode == 0
    return made


@pytest.fixture
def place(migrated_place: Path, tmp_path: Path) -> Path:
    """A directory with keys and a migrated database."""
    return shutil.copytree(migrated_place, tmp_path, dirs_exist_ok=True)


def test_nothing_set_makes_keys_and_a_database_for_the_owner_alone(tmp_path: Path) -> None:
    assert run("migrate", cwd=tmp_path, env=ENV).returncode == 0
    for name in ("greenroom.keys", "greenroom.db"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    again = run("migrate", cwd=tmp_path, env=ENV)
    assert (again.returncode, again.stdout.startswith("The database is at")) == (0, True)


@pytest.mark.parametrize("missing", ["SECRET_KEY", "EMAIL_KEYS", "INDEX_KEY", "AUDIT_KEY"])
def test_a_missing_key_is_named(place: Path, missing: str) -> None:
    keys = place / "greenroom.keys"
    keys.write_text("\n".join(line for line in keys.read_text().splitlines() if not line.startswith(missing)))
    done = run("doctor", cwd=place, env=ENV)
    assert (done.returncode, f"GREENROOM_{missing}" in done.stderr) == (78, True)


def test_production_makes_no_keys_of_its_own(tmp_path: Path) -> None:
    done = run("migrate", cwd=tmp_path, env=environment(GREENROOM_ENV="production"))
    assert done.returncode == 78
    assert "GREENROOM_SECRET_KEY" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["SECRET_KEY", "INDEX_KEY", "AUDIT_KEY"])
@pytest.mark.parametrize("value", ["changeme", "x" * 64])
def test_a_key_that_can_be_guessed_is_refused(place: Path, name: str, value: str) -> None:
    done = run("doctor", cwd=place, env=environment(**{f"GREENROOM_{name}": value}))
    assert (done.returncode, f"GREENROOM_{name}" in done.stderr) == (78, True)


def test_keys_that_others_can_read_are_refused(place: Path) -> None:
    (place / "greenroom.keys").chmod(0o644)
    done = run("doctor", cwd=place, env=ENV)
    assert (done.returncode, "chmod 600" in done.stderr) == (78, True)


@pytest.mark.parametrize("name", ["INDEX_KEY", "AUDIT_KEY", "EMAIL_KEYS"])
def test_a_key_of_another_database_stops_the_start_and_is_named(place: Path, name: str) -> None:
    other = place / "other"
    other.mkdir()
    run("migrate", cwd=other, env=ENV)
    lines = dict(line.split("=", 1) for line in (other / "greenroom.keys").read_text().splitlines() if "=" in line)
    done = run("serve", cwd=place, env=environment(**{f"GREENROOM_{name}": lines[name]}))
    assert (done.returncode, f"GREENROOM_{name}" in done.stderr) == (78, True)


def test_a_database_newer_than_the_code_stops_the_start(place: Path) -> None:
    with sqlite3.connect(place / "greenroom.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.execute("UPDATE schema_reach SET oldest = '9999'")
    for command in ("serve", "migrate", "worker"):
        done = run(command, cwd=place, env=ENV)
        assert (done.returncode, "newer than this code" in done.stderr) == (78, True)


def test_an_empty_database_is_told_what_to_run(tmp_path: Path) -> None:
    done = run("serve", cwd=tmp_path, env=ENV)
    assert (done.returncode, "greenroom migrate" in done.stderr) == (78, True)


def test_a_database_that_is_away_is_told_in_words(tmp_path: Path) -> None:
    env = environment(GREENROOM_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:9/none")
    done = run("serve", cwd=tmp_path, env=env)
    assert done.returncode == 69
    assert "cannot be reached" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("ENV", "staging"),
        ("TRUSTED_PROXIES", "everybody"),
        ("PUBLIC_URL", "greenroom.example"),
        ("LOG_LEVEL", "loud"),
        ("DATABASE_URL", "foo"),
        ("KEYS_FILE", "/nonexistent/x"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    done = run("doctor", cwd=tmp_path, env=environment(**{f"GREENROOM_{name}": value}))
    assert (done.returncode, f"GREENROOM_{name}" in done.stderr) == (78, True)


def test_listening_off_loopback_needs_the_public_url(place: Path) -> None:
    done = run("serve", "--host", "0.0.0.0", cwd=place, env=ENV)
    assert (done.returncode, "GREENROOM_PUBLIC_URL" in done.stderr) == (78, True)


def test_sites_are_added_set_and_listed(place: Path) -> None:
    assert run("sites", "add", "blog", "--origin", "https://Blog.example.org/", cwd=place, env=ENV).returncode == 0
    assert (
        run("sites", "set", "blog", "mode=post", "rating_max=5", "close_after_days=", cwd=place, env=ENV).returncode
        == 0
    )
    (site,) = json.loads(run("sites", "list", "--json", cwd=place, env=ENV).stdout)
    assert (site["origins"], site["mode"], site["rating_max"]) == (["https://blog.example.org"], "post", 5.0)


@pytest.mark.parametrize("word", ["mode=sometimes", "depth=99", "colour=green", "mode", "origins=nowhere"])
def test_a_setting_that_no_site_has_changes_nothing(place: Path, word: str) -> None:
    run("sites", "add", "blog", "--origin", "https://blog.example.org", cwd=place, env=ENV)
    done = run("sites", "set", "blog", "name=New", word, cwd=place, env=ENV)
    assert (done.returncode, word.split("=")[0] in done.stderr) == (65, True)
    assert json.loads(run("sites", "list", "--json", cwd=place, env=ENV).stdout)[0]["name"] == "blog"


def test_the_tag_of_a_site_is_printed_with_a_way_to_the_comments_without_it(place: Path) -> None:
    env = environment(GREENROOM_PUBLIC_URL="https://comments.example.org")
    run("sites", "add", "blog", "--origin", "https://blog.example.org", cwd=place, env=env)
    done = run("sites", "tag", "blog", "--page", '/a&b/"c"', cwd=place, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        '<script type="module" src="https://comments.example.org/widget.js"></script>\n'
        '<greenroom-thread site="blog" page="/a&amp;b/&quot;c&quot;">'
        '<a href="https://comments.example.org/embed/blog?page=/a%26b/%22c%22">Read the comments</a>'
        "</greenroom-thread>\n"
    )
    anywhere = run("sites", "tag", "blog", cwd=place, env=env)
    assert '<greenroom-thread site="blog"></greenroom-thread>' in anywhere.stdout and "--page" in anywhere.stderr
    unknown = run("sites", "tag", "news", cwd=place, env=env)
    assert (unknown.returncode, "There is no site news." in unknown.stderr) == (65, True)


def test_a_pinned_tag_holds_the_widget_to_what_is_served(place: Path) -> None:
    run("sites", "add", "blog", "--origin", "https://blog.example.org", cwd=place, env=ENV)
    script = run("sites", "tag", "blog", "--pinned", cwd=place, env=ENV).stdout.splitlines()[0]
    told = re.search(
        r'src="http://127\.0\.0\.1:8080(/widget\.\w+\.js)" integrity="sha384-(\S+)" crossorigin="anonymous"', script
    )
    assert told
    assert told[1] == f"/widget.{release().entry_digest}.js"
    assert base64.b64decode(told[2]) == hashlib.sha384(release().entry).digest()


def test_moderators_and_tokens_are_made_and_told_once(place: Path) -> None:
    run("sites", "add", "blog", "--origin", "https://blog.example.org", cwd=place, env=ENV)
    made = run("moderators", "add", "kim@example.org", "--name", "Kim", "--site", "blog", cwd=place, env=ENV)
    assert "Password, shown once: " in made.stdout
    (kim,) = json.loads(run("moderators", "list", "--json", cwd=place, env=ENV).stdout)
    assert kim["roles"] == {"blog": "moderator"}
    token = run("tokens", "add", "kim@example.org", "--name", "ci", "--scope", "read", cwd=place, env=ENV).stdout
    assert "grm_" in token
    token_id = token.split()[1].rstrip(",")
    assert run("tokens", "revoke", token_id, cwd=place, env=ENV).returncode == 0
    assert b"grm_" not in (place / "greenroom.db").read_bytes()


def test_the_audit_chain_is_verified_and_a_touched_row_named(place: Path) -> None:
    run("sites", "add", "blog", "--origin", "https://blog.example.org", cwd=place, env=ENV)
    assert run("audit", "verify", cwd=place, env=ENV).returncode == 0
    with sqlite3.connect(place / "greenroom.db") as database:
        database.execute("UPDATE audit_entries SET actor = 'nobody' WHERE n = 1")
    done = run("audit", "verify", "--json", cwd=place, env=ENV)
    assert (done.returncode, json.loads(done.stdout)[0]["broken"][:5]) == (65, "row 1")


def test_a_head_that_was_noted_finds_a_tail_that_was_cut_with_its_head(place: Path) -> None:
    """With the head rewound the chain alone looks whole."""
    run("sites", "add", "blog", "--origin", "https://blog.example.org", cwd=place, env=ENV)
    run("sites", "set", "blog", "mode=post", cwd=place, env=ENV)
    noted = [one["head"] for one in json.loads(run("audit", "verify", "--json", cwd=place, env=ENV).stdout)]
    heads = [part for one in noted for part in ("--head", one)]
    assert run("audit", "verify", *heads, cwd=place, env=ENV).returncode == 0
    with sqlite3.connect(place / "greenroom.db") as database:
        ((chain, last),) = database.execute("SELECT chain, max(n) FROM audit_entries GROUP BY chain HAVING max(n) > 1")
        cut = "FROM audit_entries WHERE chain = ? AND n = ?"
        database.execute(f"DELETE FROM audit_details WHERE entry_id IN (SELECT id {cut})", (chain, last))
        database.execute(f"DELETE {cut}", (chain, last))
        earlier = "(SELECT digest FROM audit_entries e WHERE e.chain = audit_heads.chain AND e.n = audit_heads.n - 1)"
        database.execute(f"UPDATE audit_heads SET digest = {earlier}, n = n - 1 WHERE chain = ?", (chain,))
    assert run("audit", "verify", cwd=place, env=ENV).returncode == 0
    done = run("audit", "verify", *heads, cwd=place, env=ENV)
    assert (done.returncode, f"{last} rows were noted, {last - 1} are left" in done.stdout) == (65, True)


def test_the_demo_is_made_once_and_told_each_time(tmp_path: Path) -> None:
    first = run("demo", "--prepare-only", cwd=tmp_path, env=ENV)
    again = run("demo", "--prepare-only", cwd=tmp_path, env=ENV)
    assert (first.returncode, first.stdout) == (0, again.stdout)
    login = json.loads((tmp_path / "greenroom.demo").read_text())
    assert all(value in first.stdout for value in login.values())
    assert stat.S_IMODE((tmp_path / "greenroom.demo").stat().st_mode) == 0o600


def test_rotation_by_command_keeps_every_address(place: Path) -> None:
    before = (place / "greenroom.keys").read_text()
    assert run("keys", "rotate", cwd=place, env=ENV).returncode == 0
    assert run("keys", "reseal", "--retire", cwd=place, env=ENV).returncode == 0
    assert (place / "greenroom.keys").read_text() != before
    assert run("doctor", cwd=place, env=ENV).returncode == 0


@pytest.mark.parametrize("words", ["rotate", "reseal --retire"])
def test_keys_that_are_set_one_by_one_are_not_changed_in_a_file(place: Path, words: str) -> None:
    file = place / "greenroom.keys"
    given = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    file.unlink()
    env = environment(**{f"GREENROOM_{name}": value for name, value in given.items()})
    done = run("keys", *words.split(), cwd=place, env=env)
    assert (done.returncode, "The keys are set one by one" in done.stderr) == (78, True)
    assert not file.exists()
    assert run("keys", "reseal", cwd=place, env=env).returncode == 0


def test_the_jobs_run_once_on_request(place: Path) -> None:
    assert run("worker", "--once", cwd=place, env=ENV).returncode == 0


def test_what_is_unexpected_is_told_by_its_place_not_its_words(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise KeyError("ada@mail.example.org, in no form that redaction knows: ada%40mail")

    monkeypatch.setattr("service.cli.sites.queries.sites", fail)
    done = run("sites", "list", cwd=place, env=ENV)
    assert (done.returncode, done.stdout) == (70, "")
    told = json.loads(done.stderr)
    assert (told["exception"], told["where"].startswith("test_commands.py")) == ("KeyError", True)
    assert "ada" not in done.stderr
