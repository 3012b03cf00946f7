"""Files that others may write are refused: data directory, journal, store, configuration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Geocli

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
