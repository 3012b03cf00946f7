"""``geocli config``: what is set, by whom, and where the file is."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from geocli.config.keys import DATA_DIR, KEYS
from tests.conftest import Geocli

SECRET = "S3CR3T-k3y"  # noqa: S105 (nobody's)


def shown(geocli: Geocli, *arguments: str | Path, **environment: str) -> dict[str, dict[str, str | None]]:
    done = Geocli(geocli.data_dir, environment)(*arguments, "config", "show", "-j")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row.pop("setting"): row for row in rows}


SET_BY_TESTS = {"data_dir", "lookup.max_db_age"}


def test_every_setting_is_shown_with_what_would_set_it(geocli: Geocli) -> None:
    rows = shown(geocli)
    assert list(rows) == ["data_dir", "config", "color", "quiet", "verbose"] + [
        ".".join(key) for key in KEYS if key != DATA_DIR
    ]
    assert all(
        rows[f"{section}.{key}"]["variable"] == f"GEOCLI_{section.upper()}_{key.upper()}"
        for section, key in KEYS
        if (section, key) != DATA_DIR
    )
    assert {row["origin"] for name, row in rows.items() if name not in SET_BY_TESTS} == {"default"}
    assert rows["lookup.ttl"]["value"] == "30d"
    assert rows["lookup.provider"]["value"] == "mmdb"
    assert rows["lookup.max_wait"]["value"] is None


def test_each_value_says_where_it_came_from(geocli: Geocli, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[lookup]\nttl = 7200\nmmdb = ["/a b.mmdb", "/c.mmdb"]\n[ip_api]\ntimeout = "90s"\n')
    rows = shown(
        geocli, "--config", config, "-q", "--color", "never",
        GEOCLI_LOOKUP_PROVIDER="ip-api, mmdb", GEOCLI_IP_API_TIMEOUT="120", NO_COLOR="1",
    )  # fmt: skip

    def of(setting: str) -> tuple[str | None, ...]:
        row = rows[setting]
        return row["value"], row["origin"], row["where"]

    assert of("data_dir") == (str(geocli.data_dir), "environment", "GEOCLI_DATA_DIR")
    assert of("config") == (str(config), "flag", "--config")
    assert of("color") == ("never", "flag", "--color")
    assert of("quiet") == ("true", "flag", "--quiet")
    assert of("lookup.ttl") == ("2h", "file", str(config))
    assert of("lookup.mmdb") == ("/a b.mmdb:/c.mmdb", "file", str(config))
    assert of("lookup.provider") == ("ip-api,mmdb", "environment", "GEOCLI_LOOKUP_PROVIDER")
    assert of("ip_api.timeout") == ("2m", "environment", "GEOCLI_IP_API_TIMEOUT")
    assert of("lookup.ttl_unknown") == ("1d", "default", None)
    assert shown(geocli, NO_COLOR="1")["color"]["where"] == "NO_COLOR"
    assert shown(geocli, "--data-dir", "/x")["data_dir"]["where"] == "--data-dir"


def test_keys_are_never_shown(geocli: Geocli, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.touch(0o600)
    config.write_text(f'[ipinfo]\ntoken = "{SECRET}"\n')
    geocli = Geocli(geocli.data_dir, {"GEOCLI_CONFIG": str(config), "GEOCLI_IP_API_KEY": SECRET})
    for form in ("--json", "--csv", "--tsv", "--table"):
        done = geocli("-v", "config", "show", form)
        assert SECRET not in done.stdout + done.stderr
        assert done.stdout.count("***") == 2


def test_all_forms_of_output_are_there(geocli: Geocli) -> None:
    assert "color\tauto\tdefault\n" in geocli("config", "show").stdout
    assert geocli("config", "show", "--csv").stdout.startswith("setting,value,origin,where,variable\r\n")
    assert geocli("config", "show", "-f", "setting,value").stdout.splitlines()[2] == "color\tauto"
    assert "color=auto" in geocli("config", "show", "-t", "{setting}={value}").stdout
    assert "lookup.ttl " in geocli("config", "show", "--table").stdout


def test_a_variable_that_sets_nothing_is_pointed_out(geocli: Geocli) -> None:
    misspelt = Geocli(geocli.data_dir, {"GEOCLI_LOOKUP_TLL": "1d", "GEOCLI_X\x1b[2J": ""})
    done = misspelt("config", "show")
    assert done.returncode == 0
    assert "GEOCLI_LOOKUP_TLL sets nothing; did you mean GEOCLI_LOOKUP_TTL?" in done.stderr
    assert "\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert misspelt("-q", "config", "show").stderr == ""


def test_the_path_is_told_whether_or_not_there_is_a_file(geocli: Geocli, tmp_path: Path) -> None:
    expected = tmp_path / ".config" / "geocli" / "config.toml"
    assert geocli("config", "path").stdout == f"{expected}\n"
    assert not expected.exists()
    assert geocli("config", "path", "--config", "/a/b c.toml").stdout == "/a/b c.toml\n"
    other = Geocli(geocli.data_dir, {"GEOCLI_CONFIG": "/c.toml", "XDG_CONFIG_HOME": "/d"})
    assert other("config", "path").stdout == "/c.toml\n"
    assert Geocli(geocli.data_dir, {"XDG_CONFIG_HOME": "/d"})("config", "path").stdout == (
        "/d/geocli/config.toml\n"
    )


def test_the_path_of_a_broken_file_is_told_because_that_is_when_people_ask(
    geocli: Geocli, tmp_path: Path
) -> None:
    config = tmp_path / "broken.toml"
    config.write_text("[lookup")
    assert geocli("--config", config, "config", "path").stdout == f"{config}\n"
    done = geocli("--config", config, "config", "show")
    assert (done.returncode, done.stdout) == (2, "")
    assert str(config) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_path_that_is_not_text_is_told_byte_for_byte(geocli: Geocli) -> None:
    done = subprocess.run(
        [*map(os.fsencode, geocli.command), b"config", b"path", b"--config", b"/\xff  \n.toml"],
        env=geocli.env,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"/\xff  \n.toml\n"


@pytest.mark.parametrize("arguments", [["config", "edit"], ["config", "show", "x"], ["config", "path", "-j"]])
def test_wrong_usage_is_one_line(geocli: Geocli, arguments: list[str]) -> None:
    done = geocli(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
