"""What ``geocli setup`` changes: made, made again, taken out; somebody else's stays as it is."""

from __future__ import annotations

import os
import stat
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from geocli.cron import installation
from geocli.cron.crontab import Change
from geocli.cron.installation import Places
from geocli.cron.own_files import DataDirectory, delete_data, owned_by_others
from geocli.model.errors import UsageError

PROGRAM = ["/opt/geocli/bin/geocli"]
DATA = Path("/var/lib/geocli")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """The places of a machine that has a fail2ban, somewhere else."""
    (tmp_path / "etc/fail2ban/action.d").mkdir(parents=True)
    (tmp_path / "share/man").mkdir(parents=True)
    return Places(
        share=tmp_path / "share",
        programs=tmp_path / "bin",
        on_every_path=(tmp_path / "bin",),
        config=tmp_path / "etc/geocli/config.toml",
        actions=tmp_path / "etc/fail2ban/action.d",
    )


def everything_in(place: Path) -> dict[str, bytes | str | None]:
    return {
        str(path.relative_to(place)): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in place.rglob("*")
    }


def changes_of(places: Places) -> list[Change]:
    found = [
        installation.config_change(places, DATA),
        installation.program_change(places, PROGRAM),
        installation.action_change(places, PROGRAM[0], DATA),
        *installation.share_changes(places),
    ]
    return [change for change in found if change is not None and change.is_one]


def make(changes: Iterable[Change]) -> None:
    for change in changes:
        change.make()


def test_what_is_made_is_taken_out_without_a_trace(places: Places, tmp_path: Path) -> None:
    before = everything_in(tmp_path)
    make(changes_of(places))
    assert changes_of(places) == []
    assert everything_in(tmp_path) != before
    make(installation.removals(places, []))
    assert everything_in(tmp_path) == before


def test_the_configuration_names_the_data_directory(places: Places) -> None:
    assert places.config is not None
    change = installation.config_change(places, Path('/odd "path"\\é'))
    assert change is not None
    change.make()
    assert tomllib.loads(places.config.read_text()) == {"data": {"dir": '/odd "path"\\é'}}
    assert stat.S_IMODE(places.config.stat().st_mode) == 0o644


@pytest.mark.parametrize("text", [b"", b'[lookup]\nttl = "1h"', b"# mine\r\n[lookup]\r\n"])
def test_a_configuration_that_is_there_gets_its_own_text_back(places: Places, text: bytes) -> None:
    assert places.config is not None
    places.config.parent.mkdir()
    places.config.write_bytes(text)
    make(changes_of(places))
    assert tomllib.loads(places.config.read_text())["data"] == {"dir": str(DATA)}
    make(installation.removals(places, []))
    assert places.config.read_bytes() == text


def test_a_configuration_that_names_a_directory_already_is_left_or_refused(places: Places) -> None:
    assert places.config is not None
    places.config.parent.mkdir()
    places.config.write_text(f'[data]\ndir = "{DATA}"\n')
    assert installation.config_change(places, DATA) is None
    with pytest.raises(UsageError, match="names /var/lib/geocli already"):
        installation.config_change(places, Path("/elsewhere"))
    places.config.write_text("[data\n")
    with pytest.raises(UsageError, match="is not TOML"):
        installation.config_change(places, DATA)


def test_the_action_has_the_paths_of_this_machine(places: Places) -> None:
    assert places.actions is not None
    make(changes_of(places))
    text = (places.actions / "geocli.conf").read_text()
    assert f"\ngeocli = {PROGRAM[0]}\ndata_dir = {DATA}\n" in text
    for word in ('/a"b', "/a$(id)", "/a`id`", "/a<ip>", "/a%(x)s", "/a\nb", "/a\\b"):
        with pytest.raises(UsageError, match="cannot hold"):
            installation.action_change(places, word, DATA)


def test_files_of_other_people_stay(places: Places) -> None:
    assert places.actions is not None
    (places.actions / "geocli.conf").write_text("[Definition]\n")
    manual = places.share / "man/man1/geocli.1"
    manual.parent.mkdir(parents=True)
    manual.write_text("mine")
    places.programs.mkdir()
    (places.programs / "geocli").write_text("mine too")
    before = everything_in(places.share.parent)
    make(changes_of(places))
    make(installation.removals(places, []))
    assert everything_in(places.share.parent) == before


def test_a_link_in_the_place_of_a_file_is_somebody_elses(places: Places, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("pipx makes such links")
    manual = places.share / "man/man1/geocli.1"
    manual.parent.mkdir(parents=True)
    places.programs.mkdir()
    for link in (manual, places.programs / "geocli"):
        link.symlink_to(tmp_path / "theirs")
    make(changes_of(places))
    make(installation.removals(places, []))
    assert manual.is_symlink()
    assert (places.programs / "geocli").is_symlink()
    assert (tmp_path / "theirs").read_text() == "pipx makes such links"


def test_the_program_is_called_from_everywhere(places: Places, tmp_path: Path) -> None:
    program = tmp_path / "it's here" / "geocli"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "called with $1 and $2"\n')
    program.chmod(0o755)
    change = installation.program_change(places, [str(program)])
    assert change is not None
    change.make()
    command = [str(places.programs / "geocli"), "a b", "c"]
    assert (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
        == "called with a b and c\n"
    )
    again = installation.program_change(places, [str(places.programs / "geocli")])
    assert again is None or not again.is_one


def test_the_manual_and_the_completions_come_with_geocli() -> None:
    for name in installation._SHARE:
        text = installation.shipped(name)
        assert text is not None, name
        assert b"geocli" in text


# --- data ---------------------------------------------------------------------------------------------


def test_a_data_directory_is_made_for_its_owner(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "a" / "data")
    assert directory.read() is None
    directory.write(b"owner")
    assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
    assert directory.read() == b"owner"


def test_a_group_may_read_what_is_there_already(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    (directory.path / "journal").mkdir(parents=True)
    (directory.path / "journal" / "cache.db").write_text("x")
    (directory.path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir(0o755)
    (directory.path / "link").unlink()
    directory.write(b"group %d" % os.getegid())
    assert directory.read() == b"group %d" % os.getegid()
    assert stat.S_IMODE((directory.path / "journal").stat().st_mode) == 0o2750
    assert stat.S_IMODE((directory.path / "journal" / "cache.db").stat().st_mode) == 0o640
    directory.write(b"owner")
    assert stat.S_IMODE((directory.path / "journal" / "cache.db").stat().st_mode) == 0o600


def test_a_file_in_place_of_the_data_directory_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(UsageError, match="is in the way"):
        DataDirectory(tmp_path / "data").read()


def test_deleting_the_data_leaves_what_is_not_geoclis(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    for name in ("geo.db", "geo.db-wal", "geo.db.damaged-1", "diary.txt"):
        (tmp_path / name).write_text("x")
    delete_data(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]
    (tmp_path / "diary.txt").unlink()
    delete_data(tmp_path)
    assert not tmp_path.exists()
    assert delete_data(tmp_path) == []


def test_data_behind_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal").symlink_to(tmp_path / "mine")
    delete_data(tmp_path / "data")
    assert (tmp_path / "mine" / "file").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_program_that_others_may_change_is_found(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "geocli"
    program.parent.mkdir()
    program.touch(0o755)
    assert owned_by_others(str(program)) is None
    os.chown(program.parent, 12345, -1)
    assert owned_by_others(str(program)) == program.parent
    os.chown(program.parent, 0, -1)
    program.chmod(0o777)
    assert owned_by_others(str(program)) == program
