"""Files that others may write are refused: data directory, journal, store, configuration."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from geocli.model.errors import DamagedFileError, GeocliError
from geocli.system.files import make_private_directory
from geocli.system.ownership import check_trusted
from tests.conftest import Geocli, MakeMmdb
from tests.support.other_user import interpreter_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def complaint(geocli: Geocli, *arguments: str | Path) -> str:
    done = geocli(*arguments)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("name", ["", "journal", "journal/cache.db", "geo.db"])
@pytest.mark.parametrize("command", ["8.8.8.8", "flush", "stats", "refresh"])
def test_what_all_may_write_is_refused(geocli: Geocli, data_dir: Path, name: str, command: str) -> None:
    geocli("8.8.8.8")
    geocli("flush")
    path = data_dir / name if name else data_dir
    path.chmod(path.stat().st_mode | 0o002)
    assert f"{path}: can be written by other users" in complaint(geocli, command)
    path.chmod(path.stat().st_mode & ~0o002)
    assert geocli(command).returncode == 0


@as_root
@pytest.mark.parametrize("name", ["", "journal", "journal/cache.db", "geo.db"])
def test_what_belongs_to_somebody_else_is_refused(geocli: Geocli, data_dir: Path, name: str) -> None:
    geocli("8.8.8.8")
    geocli("flush")
    path = data_dir / name if name else data_dir
    os.chown(path, 12345, -1)
    assert f"{path}: belongs to another user (number 12345)" in complaint(geocli, "8.8.8.8")


@as_root
def test_a_group_of_others_may_not_write_either(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    os.chown(data_dir, -1, 12345)
    data_dir.chmod(0o770)
    assert "can be written by other users" in complaint(geocli, "8.8.8.8")


def test_a_configuration_that_all_may_write_is_refused(geocli: Geocli, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[lookup]\n")
    config.chmod(0o646)
    assert str(config) in complaint(geocli, "--config", config, "8.8.8.8")
    config.chmod(0o644)
    assert geocli("--config", config, "8.8.8.8").returncode == 0


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_what_geocli_makes_is_its_users_alone_whatever_the_umask(
    geocli: Geocli, data_dir: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        assert geocli("8.8.8.8").returncode == 0
        assert geocli("flush").returncode == 0
    finally:
        os.umask(before)
    for path in [data_dir, *data_dir.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.slow
@as_root
@pytest.mark.parametrize("user", [0, 65534])
def test_a_umask_that_takes_everything_does_no_harm(user: int) -> None:
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o1777)
        interpreter = interpreter_of(user)
        base = [*interpreter.command, "--data-dir", f"{above}/a/b"]
        for arguments in (
            ["8.8.8.8"],
            ["bans", "--record", "-i", "-"],
            ["flush"],
            ["9.9.9.9"],
            ["bans", "--record", "-i", "-"],
            ["stats", "--prometheus", "-o", f"{above}/{user}.prom"],
            ["flush"],
        ):
            done = subprocess.run(
                [*base, *arguments],
                input="[{'sshd': ['1.1.1.1']}]",
                text=True,
                capture_output=True,
                umask=0o777,
                user=user,
                group=user,
                extra_groups=[],
                env=interpreter.environment,
                check=False,
            )
            assert (done.returncode, done.stderr) == (0, ""), arguments
        made = [Path(above, "a"), *Path(above, "a").rglob("*")]
        assert {(path.stat().st_mode & 0o777, path.is_dir()) for path in made} == {
            (0o700, True),
            (0o600, False),
        }


def acl(*entries: tuple[int, int, int]) -> bytes:
    """An access control list as the kernel takes it: tag, permissions and number of each entry."""
    none = 0xFFFFFFFF
    entries = ((1, 7, none), *entries, (4, 5, none), (16, 7, none), (32, 5, none))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in sorted(entries))


STRANGER = 12345


def of_stranger(path: Path) -> None:
    os.chown(path, STRANGER, 0)


def for_all(path: Path) -> None:
    path.chmod(0o777)


def for_a_group(path: Path) -> None:
    os.chown(path, 0, STRANGER)
    path.chmod(0o775)


def for_a_listed_user(path: Path) -> None:
    os.setxattr(path, "system.posix_acl_access", acl((2, 7, STRANGER)))


def for_a_listed_group(path: Path) -> None:
    os.setxattr(path, "system.posix_acl_access", acl((8, 7, STRANGER)))


def for_readers_of_a_list(path: Path) -> None:
    os.setxattr(path, "system.posix_acl_access", acl((2, 5, STRANGER), (8, 5, STRANGER)))


def as_tmp(path: Path) -> None:
    path.chmod(0o1777)


def of_stranger_as_tmp(path: Path) -> None:
    path.chmod(0o1777)
    of_stranger(path)


def for_own_group(path: Path) -> None:
    path.chmod(0o775)


WAYS: dict[Callable[[Path], None], str | None] = {
    of_stranger: "belongs to another user (number 12345)",
    of_stranger_as_tmp: "belongs to another user (number 12345)",
    for_all: "can be written by other users",
    for_a_group: "can be written by other users",
    for_a_listed_user: "can be written by other users",
    for_a_listed_group: "can be written by other users",
    for_readers_of_a_list: None,
    as_tmp: None,
    for_own_group: None,
}
"""What may be the case with a directory above, and what is said about it."""


@as_root
@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("change", WAYS, ids=lambda change: change.__name__)
@pytest.mark.parametrize("behind_link", [False, True])
def test_directories_above_count_as_sshd_has_it(
    change: Callable[[Path], None], depth: int, tmp_path: Path, behind_link: bool
) -> None:
    above = tmp_path / "above"
    (above / "inner").mkdir(parents=True)
    data = above / "inner" / "data"
    if behind_link:
        (tmp_path / "link").symlink_to(above / "inner")
        data = tmp_path / "link" / "data"
    changed = [above, above / "inner"][depth]
    try:
        change(changed)
    except OSError:
        pytest.skip("this file system has no access control lists")
    said = WAYS[change]
    for exists in (False, True):
        if said is None:
            check_trusted([data])
            make_private_directory(data)
        else:
            with pytest.raises(DamagedFileError) as refused:
                check_trusted([data])
            assert str(refused.value).startswith(f"{changed}: {said}")
            if not exists:
                with pytest.raises(DamagedFileError, match=re.escape(said)):
                    make_private_directory(data)
                assert not data.exists()
                (above / "inner" / "data").mkdir()


@as_root
def test_a_link_that_somebody_else_can_turn_is_refused(tmp_path: Path) -> None:
    (tmp_path / "safe").mkdir()
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "link").symlink_to("../safe")
    check_trusted([shared / "link" / "data"])
    os.chown(shared / "link", STRANGER, STRANGER, follow_symlinks=False)
    with pytest.raises(DamagedFileError, match="belongs to another user"):
        make_private_directory(shared / "link" / "data")
    assert list((tmp_path / "safe").iterdir()) == []


def test_links_that_lead_round_and_round_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(GeocliError):
        make_private_directory(tmp_path / "a" / "data")


@as_root
@pytest.mark.parametrize("command", ["8.8.8.8", "flush", "db update", "bans --record -i -"])
def test_in_somebody_elses_home_root_makes_nothing(tmp_path: Path, command: str) -> None:
    """``sudo -E geocli``: HOME is that of who asked for it."""
    home = tmp_path / "home"
    home.mkdir(0o755)
    os.chown(home, STRANGER, STRANGER)
    done = Geocli(home / ".local" / "share" / "geocli")(*command.split(), stdin="[{'sshd': ['1.1.1.1']}]")
    assert list(home.iterdir()) == []
    if command != "flush":  # there is nothing to do
        assert done.returncode == 4
        assert f"geocli: {home}: belongs to another user (number {STRANGER})" in done.stderr


@as_root
@pytest.mark.parametrize("planted", ["a link", "a directory"])
def test_no_mode_of_what_others_planted_is_changed(tmp_path: Path, planted: str) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    victim = tmp_path / "victim"
    victim.mkdir(0o755)
    if planted == "a link":
        (shared / "data").symlink_to(victim)
        os.chown(shared / "data", STRANGER, STRANGER, follow_symlinks=False)
    else:
        (shared / "data").mkdir(0o755)
        os.chown(shared / "data", STRANGER, STRANGER)
    done = Geocli(shared / "data" / "geocli")("8.8.8.8")
    assert (done.returncode, done.stdout) == (4, "")
    assert victim.stat().st_mode & 0o777 == 0o755
    assert list(victim.iterdir()) == []


@as_root
def test_verified_files_are_not_listed_where_others_may_write(
    geocli: Geocli, data_dir: Path, make_mmdb: MakeMmdb
) -> None:
    mmdb = data_dir / "mmdb"
    mmdb.mkdir(parents=True)
    mmdb.chmod(0o777)
    done = geocli("db", "verify", make_mmdb("some", {"192.0.2.0/24": {"country": {"iso_code": "NL"}}}))
    assert done.returncode == 4
    assert f"{mmdb}: can be written by other users" in done.stderr
    assert list(mmdb.iterdir()) == []


def test_a_planted_symlink_is_not_followed(geocli: Geocli, data_dir: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (data_dir / "journal").mkdir(parents=True, mode=0o700)
    data_dir.chmod(0o700)
    (data_dir / "journal" / "cache.db").symlink_to(victim)
    (data_dir / "geo.db").symlink_to(tmp_path / "other")
    done = geocli("8.8.8.8")
    assert done.returncode in {2, 4}
    assert done.stdout
    geocli("flush")
    assert not victim.exists()
    assert not (tmp_path / "other").exists()
