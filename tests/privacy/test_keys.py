"""The keys: where they come from, what is refused, and that a file of them is never half written."""

from __future__ import annotations

import os
import stat
from base64 import urlsafe_b64encode
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from service.config import BadSetting, Settings
from service.privacy import keys

SECRET, INDEX, AUDIT = (f"{name}9fJ2kQ7vX4mB8nT1wZ6pR3sL5dH0cV" for name in ("one", "two", "three"))
EMAIL = Fernet.generate_key().decode()
OLDER = Fernet.generate_key().decode()
NAMES = ["SECRET_KEY", "EMAIL_KEYS", "INDEX_KEY", "AUDIT_KEY"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "greenroom.keys"


@pytest.fixture
def given(path: Path) -> Settings:
    """All keys set one by one."""
    return Settings(
        keys_file=str(path), secret_key=SECRET, email_keys=[EMAIL, OLDER], index_key=INDEX, audit_key=AUDIT,
    )  # fmt: skip


def lines(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if not line.startswith("#"))


def test_keys_that_are_set_are_taken_as_they_are(given: Settings, path: Path) -> None:
    found = keys.obtain(given)
    assert found == keys.Keys(SECRET, (EMAIL, OLDER), INDEX.encode(), AUDIT.encode())
    assert not path.exists()


def test_keys_cannot_be_changed(given: Settings) -> None:
    with pytest.raises(FrozenInstanceError):
        keys.obtain(given).secret = "x"  # type: ignore[misc]


def test_keys_do_not_show_in_what_is_printed_of_them(given: Settings) -> None:
    assert repr(keys.obtain(given)) == "Keys(…)"


def test_a_new_file_is_for_its_owner_and_holds_four_different_keys(path: Path) -> None:
    keys.create(path)
    found = lines(path)
    assert list(found) == NAMES
    assert len(set(found.values())) == 4
    assert [len(one) for one in found.values()] == [64, 44, 64, 64]  # 48 random bytes, and 32 for Fernet
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("# Greenroom's keys. Keep a copy apart from the database")
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_two_files_have_no_key_in_common(tmp_path: Path) -> None:
    keys.create(tmp_path / "one")
    keys.create(tmp_path / "two")
    assert not set(lines(tmp_path / "one").values()) & set(lines(tmp_path / "two").values())


def test_a_file_that_is_there_is_not_made_again(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(FileExistsError):
        keys.create(path)
    assert path.read_text() == "precious"


def test_what_is_in_the_file_is_used(path: Path) -> None:
    keys.create(path)
    found, settings = lines(path), Settings(keys_file=str(path), env="production")
    assert keys.obtain(settings) == keys.Keys(
        found["SECRET_KEY"], (found["EMAIL_KEYS"],), found["INDEX_KEY"].encode(), found["AUDIT_KEY"].encode()
    )


def test_a_key_that_is_set_goes_before_the_one_in_the_file(path: Path) -> None:
    keys.create(path)
    found = keys.obtain(Settings(keys_file=str(path), index_key=INDEX))
    assert (found.index, found.secret) == (INDEX.encode(), lines(path)["SECRET_KEY"])


def test_a_token_of_somebody_elses_may_stand_among_them_and_stays(path: Path) -> None:
    keys.create(path)
    with path.open("a") as file:
        file.write("PURGE_TOKEN=abc-123\n")
    keys.rotate_email_key(path)
    settings = Settings(keys_file=str(path), purge_url="http://127.0.0.1/hook")
    assert keys.obtain(settings).purge_token == "abc-123"
    assert keys.obtain(replace(settings, purge_token="set")).purge_token == "set"
    with pytest.raises(BadSetting, match="^GREENROOM_PURGE_TOKEN"):
        keys.obtain(replace(settings, purge_token="a b"))


def test_a_file_in_the_home_directory_is_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(path.parent))
    keys.create(path)
    assert keys.obtain(Settings(keys_file="~/greenroom.keys")).secret == lines(path)["SECRET_KEY"]


def test_development_makes_a_file_where_there_is_none(path: Path) -> None:
    found = keys.obtain(Settings(keys_file=str(path), env="development"))
    assert found.secret == lines(path)["SECRET_KEY"]


def test_production_makes_none_and_names_what_is_missing(path: Path) -> None:
    with pytest.raises(BadSetting) as refused:
        keys.obtain(Settings(keys_file=str(path), env="production"))
    assert str(refused.value) == (
        "GREENROOM_SECRET_KEY, GREENROOM_EMAIL_KEYS, GREENROOM_INDEX_KEY, GREENROOM_AUDIT_KEY not set, "
        f"and not in {path}. Run `greenroom keys create`."
    )
    assert not path.exists()


@pytest.mark.parametrize("name", ["nowhere/greenroom.keys", "", "file/greenroom.keys", "greenroom.bytes"])
def test_a_file_that_cannot_be_used_is_named(path: Path, name: str) -> None:
    (path.parent / "file").touch()
    (path.parent / "greenroom.bytes").write_bytes(b"\xff=\xff")
    (path.parent / "greenroom.bytes").chmod(0o600)
    path.parent.chmod(0o700)  # "" is the directory itself
    with pytest.raises(BadSetting, match=f"^GREENROOM_KEYS_FILE: {path.parent}"):
        keys.obtain(Settings(keys_file=str(path.parent / name)))


def test_somebody_who_sets_some_keys_is_not_given_others_unasked(given: Settings, path: Path) -> None:
    with pytest.raises(BadSetting, match=f"^GREENROOM_AUDIT_KEY not set, and not in {path}"):
        keys.obtain(replace(given, audit_key=""))
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o601])
def test_a_file_that_others_can_read_is_refused(path: Path, mode: int) -> None:
    keys.create(path)
    path.chmod(mode)
    with pytest.raises(BadSetting, match=f"^{path} can be read by others. Run: chmod 600 {path}$"):
        keys.obtain(Settings(keys_file=str(path)))


def test_a_file_that_only_its_owner_can_read_but_not_write_is_fine(path: Path) -> None:
    keys.create(path)
    path.chmod(0o400)
    assert keys.obtain(Settings(keys_file=str(path))).email


TWENTY = "zyxwvutsrqponmlkjihg"
"""As many letters, and as many pairs of neighbours where it stands again and again."""


@pytest.mark.parametrize("name", ["secret_key", "index_key", "audit_key"])
@pytest.mark.parametrize(
    "easy",
    [
        "9fJ2kQ7vX4mB8nT1wZ6pR3sL5dH0cVa",
        TWENTY[1:] * 4,
        *(f"{word}9fJ2kQ7vX4mB8nT1wZ6pR3sL5dH0cV" for word in ("Secret", "password", "change", "DEFAULT", "example")),
        *(f"9fJ2kQ7vX4mB8nT1wZ6pR3sL5dH0cV{word}" for word in ("greenroom", "abcdefgh", "12345678", "qwerty")),
    ],
)
def test_a_key_that_is_easy_to_guess_is_refused(given: Settings, name: str, easy: str) -> None:
    told = f"^GREENROOM_{name.upper()} is too easy to guess: give it 32 random characters or more.$"
    with pytest.raises(BadSetting, match=told):
        keys.obtain(replace(given, **{name: easy}))  # type: ignore[arg-type]


@pytest.mark.parametrize("enough", ["9fJ2kQ7vX4mB8nT1wZ6pR3sL5dH0cVab", TWENTY * 2, TWENTY[1:] * 2 + "!"])
def test_32_characters_and_20_pairs_of_them_are_enough(given: Settings, enough: str) -> None:
    assert keys.obtain(replace(given, secret_key=enough)).secret == enough


def test_a_sealing_key_that_is_easy_to_guess_is_refused(given: Settings) -> None:
    easy = urlsafe_b64encode(bytes(32)).decode()
    with pytest.raises(BadSetting, match="^GREENROOM_EMAIL_KEYS is too easy to guess"):
        keys.obtain(replace(given, email_keys=[EMAIL, easy]))


@pytest.mark.parametrize("unfit", ["not a key", EMAIL[:-4], f"{EMAIL},nonsense"], ids=["words", "short", "second"])
def test_a_sealing_key_of_another_form_is_refused(given: Settings, unfit: str) -> None:
    told = "^GREENROOM_EMAIL_KEYS: each must be a Fernet key"
    with pytest.raises(BadSetting, match=told):
        keys.obtain(replace(given, email_keys=unfit.split(",")))


def test_blanks_and_commas_too_many_between_sealing_keys_do_not_matter(given: Settings) -> None:
    assert keys.obtain(replace(given, email_keys=[f" {EMAIL} ", "", " ", OLDER])).email == (EMAIL, OLDER)


def test_comments_blank_lines_and_blanks_around_are_passed_over(path: Path) -> None:
    text = f"# SECRET_KEY=x\n\n  SECRET_KEY={SECRET}=a \nEMAIL_KEYS={EMAIL}\nnonsense\n"
    path.write_text(f"{text}INDEX_KEY={INDEX}\nAUDIT_KEY={AUDIT}\n")
    path.chmod(0o600)
    found = keys.obtain(Settings(keys_file=str(path)))
    assert (found.secret, found.index) == (f"{SECRET}=a", INDEX.encode())


def test_rotation_puts_a_new_key_first_and_keeps_the_others(path: Path) -> None:
    keys.create(path)
    before = lines(path)
    keys.rotate_email_key(path)
    after = lines(path)
    new, old = after["EMAIL_KEYS"].split(",")
    assert (old, len(Fernet(new).encrypt(b"x")) > 0) == (before["EMAIL_KEYS"], True)
    assert new != old
    assert {name: after[name] for name in NAMES if name != "EMAIL_KEYS"} == {
        name: before[name] for name in NAMES if name != "EMAIL_KEYS"
    }


def test_retiring_keeps_the_newest_key_alone(path: Path) -> None:
    keys.create(path)
    keys.rotate_email_key(path)
    newest = lines(path)["EMAIL_KEYS"].split(",")[0]
    keys.retire_email_keys(path)
    assert lines(path)["EMAIL_KEYS"] == newest
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_crash_while_keys_are_written_leaves_the_old_ones(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.create(path)
    before = path.read_text()

    def crash(_file: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="the disk is full"):
        keys.rotate_email_key(path)
    assert path.read_text() == before
    monkeypatch.undo()
    keys.rotate_email_key(path)  # over what the crash left
    assert path.read_text() != before


def test_keys_are_on_the_disk_before_they_are_in_their_place(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.create(path)
    seen = []

    def written(file: int) -> None:
        seen.append(os.fstat(file).st_size)

    monkeypatch.setattr(os, "fsync", written)
    keys.rotate_email_key(path)
    assert seen == [path.stat().st_size]
