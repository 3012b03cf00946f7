"""The machine's configuration: under the user's own, and a data directory for those who may read it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from geocli.config import settings
from geocli.config.explained import explain
from geocli.config.keys import unused_variables
from geocli.config.settings import Flags, load_settings
from geocli.model.errors import DamagedFileError, UsageError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's file, and no other configuration."""
    for name in [name for name in os.environ if name.startswith(("GEOCLI_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    path = tmp_path / "etc" / "config.toml"
    path.parent.mkdir()
    monkeypatch.setattr(settings, "MACHINE_CONFIG", path)
    return path


def test_its_data_directory_is_used_before_the_users_own(machine: Path, tmp_path: Path) -> None:
    own = load_settings(Flags(), {}).data_dir
    memory = tmp_path / "memory"
    memory.mkdir()
    machine.write_text(f'[data]\ndir = "{memory}"\n')
    assert load_settings(Flags(), {}).data_dir == memory != own
    assert load_settings(Flags(), {"GEOCLI_DATA_DIR": "/elsewhere"}).data_dir == Path("/elsewhere")
    assert load_settings(Flags(data_dir=Path("/flag")), {}).data_dir == Path("/flag")
    row = next(row for row in explain(Flags(), {}) if row.setting == "data_dir")
    assert row[1:] == (str(memory), "file", str(machine), "GEOCLI_DATA_DIR")


def test_the_users_own_file_comes_before_it_key_by_key(machine: Path, tmp_path: Path) -> None:
    machine.write_text('[data]\ndir = "/machine"\n[lookup]\nttl = "1h"\nttl_unknown = "2h"\n')
    own = tmp_path / "own.toml"
    own.write_text('[lookup]\nttl = "3h"\n[data]\ndir = "~/mine"\n')
    found = load_settings(Flags(config=own), {})
    assert (found.ttl, found.ttl_unknown) == (3 * 3600, 2 * 3600)
    assert found.data_dir == Path.home() / "mine"


def test_a_memory_that_the_user_may_not_read_is_not_used(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.write_text(f'[data]\ndir = "{tmp_path / "not there"}"\n[lookup]\nttl = "1h"\n')
    monkeypatch.setattr(os, "geteuid", lambda: machine.stat().st_uid or 65534)
    monkeypatch.setattr("geocli.config.keys.check_trusted", lambda _: None)
    found = load_settings(Flags(), {})
    assert found.data_dir == settings.own_data_dir()
    assert found.ttl == 3600


@pytest.mark.parametrize("content", ['"relative"', "7", '"~nobody-at-all/x"', "[]"])
def test_a_directory_that_cannot_be_is_an_error_that_names_the_file(machine: Path, content: str) -> None:
    machine.write_text(f"[data]\ndir = {content}\n")
    with pytest.raises(UsageError, match=str(machine)):
        load_settings(Flags(), {})


def test_what_others_may_write_is_refused(machine: Path) -> None:
    machine.write_text("")
    machine.chmod(0o666)
    with pytest.raises(DamagedFileError, match="written by other users"):
        load_settings(Flags(), {})


def test_the_variable_is_known() -> None:
    assert unused_variables({"GEOCLI_DATA_DIR": "/x", "GEOCLI_CONFIG": "/y"}) == []
