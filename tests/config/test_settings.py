"""Settings: flag, environment, configuration file, default, in this order; and errors that say which."""

from __future__ import annotations

import errno
import os
import pwd
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geocli.config.parsers import parse_duration, parse_names
from geocli.config.settings import (
    Flags,
    Settings,
    SourceSettings,
    load_settings,
)
from geocli.model.errors import DamagedFileError, ExitCode, UsageError
from tests.conftest import Geocli, MakeMmdb
from tests.support.examples import examples

DAY = 86400


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory without anything in it: nobody's own configuration plays a part."""
    directory = tmp_path / "home"
    directory.mkdir()
    monkeypatch.setenv("HOME", str(directory))
    for name in [name for name in os.environ if name.startswith(("GEOCLI_", "XDG_"))]:
        monkeypatch.delenv(name)
    return directory


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def load(config: Path | None = None, text: str | bytes = "", /, **environment: str) -> Settings:
    if config is not None:
        config.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_settings(Flags(config=config), environment)


# --- precedence ---------------------------------------------------------------------------------------

KEYS: list[tuple[str, str, Any, str, Any, str, Any]] = [
    # section, key, default, in the file, its value, in the environment, its value
    ("lookup", "provider", ("mmdb",), '"one"', ("one",), "two", ("two",)),
    ("lookup", "mmdb", (), '"/one.mmdb"', (Path("/one.mmdb"),), "/two.mmdb", (Path("/two.mmdb"),)),
    ("lookup", "ttl", 30 * DAY, '"1h"', 3600, "2h", 7200),
    ("lookup", "ttl_unknown", DAY, '"1h"', 3600, "2h", 7200),
    ("store", "busy_timeout", 10, "3", 3, "4s", 4),
]


@pytest.mark.parametrize(
    ("section", "key", "default", "in_file", "from_file", "in_environment", "from_environment"),
    KEYS,
    ids=[key for _, key, *_ in KEYS],
)
def test_the_environment_goes_before_the_file_and_the_file_before_the_default(
    config: Path,
    section: str,
    key: str,
    default: object,
    in_file: str,
    from_file: object,
    in_environment: str,
    from_environment: object,
) -> None:
    file = f"[{section}]\n{key} = {in_file}\n"
    variable = {f"GEOCLI_{section}_{key}".upper(): in_environment}
    assert getattr(load(), key) == default
    assert getattr(load(config, file), key) == from_file
    assert getattr(load(config, file, **variable), key) == from_environment
    assert getattr(load(**variable), key) == from_environment
    # Set to nothing is not set.
    assert getattr(load(config, file, **dict.fromkeys(variable, "")), key) == from_file


def test_one_key_changes_no_other(config: Path) -> None:
    assert load(config, "[lookup]\nttl = 5\n") == load().replace(ttl=5)
    assert load(GEOCLI_STORE_BUSY_TIMEOUT="5") == load().replace(busy_timeout=5)


def test_all_keys_fit_into_one_file(config: Path) -> None:
    sections: dict[str, str] = {}
    for section, key, _, in_file, *_ in KEYS:
        sections[section] = sections.get(section, "") + f"{key} = {in_file}\n"
    loaded = load(config, "".join(f"[{section}]\n{keys}" for section, keys in sections.items()))
    assert [getattr(loaded, key) for _, key, *_ in KEYS] == [row[4] for row in KEYS]


def test_flags_go_before_the_environment(tmp_path: Path, config: Path) -> None:
    config.write_text("[lookup]\nttl = 1\n")
    other = tmp_path / "other.toml"
    other.write_text("[lookup]\nttl = 2\n")
    environment = {"GEOCLI_DATA_DIR": "/from/environment", "GEOCLI_CONFIG": str(config), "NO_COLOR": "1"}
    by_environment = load_settings(Flags(), environment)
    assert by_environment.data_dir == Path("/from/environment")
    assert by_environment.ttl == 1
    assert by_environment.color == "never"
    by_flags = load_settings(
        Flags(Path("/from/flag"), other, "always", quiet=True, verbose=True), environment
    )
    assert by_flags.data_dir == Path("/from/flag")
    assert by_flags.ttl == 2
    assert by_flags.color == "always"
    assert by_flags.quiet
    assert by_flags.verbose


def test_the_command_s_options_go_before_all_of_them(
    geocli: Geocli, make_mmdb: MakeMmdb, config: Path
) -> None:
    files = {
        code: make_mmdb(code, {"81.2.69.0/24": {"country": {"iso_code": code}}})
        for code in ("DE", "FR", "ES")
    }
    config.write_text(f'[lookup]\nmmdb = ["{files["DE"]}"]\n')

    def country(*options: str | Path, **environment: str) -> str:
        done = Geocli(geocli.data_dir, environment)(
            "81.2.69.142", "-f", "country_code", "--no-cache", *options
        )
        assert done.returncode == ExitCode.OK, done.stderr
        return done.stdout.strip()

    variable = {"GEOCLI_LOOKUP_MMDB": str(files["FR"])}
    assert country("--config", config) == "DE"
    assert country(GEOCLI_CONFIG=str(config)) == "DE"
    assert country("--config", config, **variable) == "FR"
    assert country("--config", config, "--mmdb", files["ES"], **variable) == "ES"
    wrong = Geocli(geocli.data_dir, {"GEOCLI_LOOKUP_PROVIDER": "nobody", **variable})
    assert wrong("81.2.69.142", "--no-cache").returncode == ExitCode.USAGE
    assert wrong("81.2.69.142", "--no-cache", "-p", "mmdb", "-f", "country_code").stdout == "FR\n"


# --- where things are ---------------------------------------------------------------------------------


def test_the_data_directory_is_the_one_of_xdg(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().data_dir == home / ".local" / "share" / "geocli"
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    assert load().data_dir == Path("/srv/data/geocli")
    assert load(GEOCLI_DATA_DIR="/srv/other").data_dir == Path("/srv/other")
    assert load(GEOCLI_DATA_DIR="").data_dir == Path("/srv/data/geocli")


@pytest.mark.parametrize(
    "name", ["/home/u", "/home/u/", "/", "//x", "", " ", "/a b", "/a ", "home", "/a/../b/./c"]
)
@pytest.mark.parametrize(
    "base", [None, "/srv/data", "/srv/data/", "", " ", "/", "//x", "data", "/a/../b", "/a\u0303"]
)
def test_the_data_directory_is_what_platformdirs_says(
    monkeypatch: pytest.MonkeyPatch, name: str, base: str | None
) -> None:
    environment = {"HOME": name} | ({} if base is None else {"XDG_DATA_HOME": base})
    for variable, text in environment.items():
        monkeypatch.setenv(variable, text)
    expected = platformdirs.user_data_path("geocli", appauthor=False)
    assert load(**environment).data_dir == expected


def test_the_data_directory_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(GEOCLI_DATA_DIR="data").data_dir == tmp_path / "data"
    assert load_settings(Flags(data_dir=Path("here")), {}).data_dir == tmp_path / "here"


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    load(GEOCLI_DATA_DIR=str(tmp_path / "data"))
    load()
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("xdg", [True, False])
def test_the_default_configuration_file_is_read_when_it_is_there(home: Path, xdg: bool) -> None:
    directory = home / ("xdg" if xdg else ".config")
    environment = {"XDG_CONFIG_HOME": str(directory)} if xdg else {}
    assert load(**environment).ttl == 30 * DAY
    (directory / "geocli").mkdir(parents=True)
    assert load(**environment).ttl == 30 * DAY
    (directory / "geocli" / "config.toml").write_text("[lookup]\nttl = 7\n")
    assert load(**environment).ttl == 7


def test_a_relative_xdg_directory_is_ignored_as_its_specification_asks(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for directory, ttl in ((tmp_path / "relative", 1), (home / ".config", 2)):
        (directory / "geocli").mkdir(parents=True)
        (directory / "geocli" / "config.toml").write_text(f"[lookup]\nttl = {ttl}\n")
    assert load(XDG_CONFIG_HOME="relative").ttl == 2


@pytest.mark.parametrize("name", ["x" * 300, "x/" * 3000, "file/below"])
def test_a_default_configuration_file_that_cannot_be_there_is_a_missing_one(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("")
    assert load(XDG_CONFIG_HOME=f"{tmp_path}/{name}").ttl == 30 * DAY


def test_somebody_without_a_home_directory_has_no_configuration_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: int) -> None:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    loaded = load(GEOCLI_DATA_DIR="/srv/data")
    assert loaded.data_dir == Path("/srv/data")
    assert loaded.ttl == 30 * DAY


def test_a_default_configuration_file_that_is_broken_is_an_error(home: Path) -> None:
    (home / ".config" / "geocli").mkdir(parents=True)
    (home / ".config" / "geocli" / "config.toml").write_text("[lookup")
    with pytest.raises(UsageError, match=r"config\.toml"):
        load()


def test_a_configuration_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    with pytest.raises(UsageError, match=r"missing\.toml: No such file"):
        load_settings(Flags(config=missing), {})
    with pytest.raises(UsageError, match=r"missing\.toml: No such file"):
        load(GEOCLI_CONFIG=str(missing))


def test_a_configuration_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Is a directory"):
        load_settings(Flags(config=tmp_path), {})
    with pytest.raises(UsageError, match="cannot read the configuration file"):
        load_settings(Flags(config=tmp_path / ("x" * 300)), {})


def test_a_configuration_file_that_is_forbidden_is_an_error(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbid(*_: object) -> None:  # nothing is forbidden to root
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", forbid)
    with pytest.raises(UsageError, match=r"config\.toml: Permission denied"):
        load_settings(Flags(config=config), {})


# --- colour -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flag", "environment", "expected"),
    [
        (None, {}, "auto"),
        (None, {"NO_COLOR": "1"}, "never"),
        (None, {"NO_COLOR": "0"}, "never"),
        (None, {"NO_COLOR": "false"}, "never"),
        ("auto", {"NO_COLOR": "1"}, "auto"),
        ("always", {"NO_COLOR": "1"}, "always"),
        ("always", {}, "always"),
        ("never", {}, "never"),
    ],
)
def test_no_color_is_never_unless_the_flag_says_otherwise(
    flag: str | None, environment: Mapping[str, str], expected: str
) -> None:
    assert load_settings(Flags(color=flag), environment).color == expected


@pytest.mark.parametrize("flag", ["sometimes", "ALWAYS", "\x1b[31m", "\ud800"])
def test_another_colour_is_refused(flag: str) -> None:
    with pytest.raises(UsageError, match="auto, always or never") as caught:
        load_settings(Flags(color=flag), {})
    assert str(caught.value).isprintable()


# --- values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("24h", 24 * 3600),
        ("7d", 7 * DAY),
        ("4w", 28 * DAY),
        ("1y", 365 * DAY),
        (" 5 m ", 300),
        ("005m", 300),
        ("999999999", 999_999_999),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert load(GEOCLI_LOOKUP_TTL=text).ttl == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "m",
        "5x",
        "5M",
        "5 minutes",
        "-5m",
        "+5m",
        "1.5h",
        "1e3",
        "5m30s",
        "9" * 100,
        "inf",
        "nan",
        "\x1b",
    ],
)
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="90s, 5m, 24h, 7d, 4w or 1y") as caught:
        parse_duration(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200
    if text.strip():
        with pytest.raises(UsageError, match=r"^GEOCLI_LOOKUP_TTL: .*no duration"):
            load(GEOCLI_LOOKUP_TTL=text)


@given(st.text())
@example("9" * 400)
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert parse_duration(text) >= 0


@pytest.mark.parametrize(
    ("text", "names"),
    [("mmdb", ("mmdb",)), ("a,b", ("a", "b")), (" a , b ", ("a", "b")), (",a,,b,", ("a", "b"))],
)
def test_a_list_of_names_is_separated_by_commas(text: str, names: tuple[str, ...]) -> None:
    assert parse_names(text) == names
    assert load(GEOCLI_LOOKUP_PROVIDER=text).provider == names


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_an_empty_list_of_names_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        parse_names(text)
    if text:
        with pytest.raises(UsageError, match=r"^GEOCLI_LOOKUP_PROVIDER: .*empty"):
            load(GEOCLI_LOOKUP_PROVIDER=text)


def test_a_list_of_paths_in_the_environment_is_separated_by_colons(home: Path) -> None:
    assert load(GEOCLI_LOOKUP_MMDB="/a.mmdb:b.mmdb::~/c.mmdb").mmdb == (
        Path("/a.mmdb"),
        Path("b.mmdb"),
        home / "c.mmdb",
    )


def test_lists_in_the_file_are_lists(config: Path, home: Path) -> None:
    loaded = load(config, '[lookup]\nmmdb = ["/a.mmdb", "~/b c.mmdb"]\nprovider = ["one", "two"]\n')
    assert loaded.mmdb == (Path("/a.mmdb"), home / "b c.mmdb")
    assert loaded.provider == ("one", "two")
    assert load(config, "[lookup]\nmmdb = []\n").mmdb == ()
    assert load(config, '[lookup]\nprovider = "one,two"\n').provider == ("one", "two")


def test_a_path_in_a_list_in_the_file_is_one_path_whatever_it_is_called(config: Path) -> None:
    assert load(config, '[lookup]\nmmdb = ["/data/2026-11-05T06:25:07.mmdb"]\n').mmdb == (
        Path("/data/2026-11-05T06:25:07.mmdb"),
    )


def test_a_whole_number_in_the_file_is_seconds(config: Path) -> None:
    assert load(config, "[lookup]\nttl = 90\nttl_unknown = 0\n[store]\nbusy_timeout = 1\n") == load().replace(
        ttl=90, ttl_unknown=0, busy_timeout=1
    )


# --- a broken file ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        # keys and sections that are not there, with the nearest that is
        ("[lookup]\ntll = 1", r"unknown key 'tll' in \[lookup\]; did you mean ttl in \[lookup\]\?"),
        ("[lookup]\nproviders = 'x'", r"'providers'.*did you mean provider in \[lookup\]"),
        ("[lookup]\nbusy_timeout = 1", r"'busy_timeout'.*did you mean busy_timeout in \[store\]"),
        ("[loookup]\nttl = 1", r"'ttl' in \[loookup\]; did you mean ttl in \[lookup\]"),
        ("[zzzzzz]\nqqqqqqqq = 1", r"unknown key 'qqqqqqqq' in \[zzzzzz\]$"),
        ("[lokup]", r"unknown section \[lokup\]; did you mean lookup\?"),
        ("[zz]", r"unknown section \[zz\]$"),
        ("[lookup.ttl]\nx = 1", "ttl"),
        ("ttl = 1", "'ttl' stands outside of a section"),
        ("lookup = 1", "'lookup' stands outside of a section"),
        ("[[lookup]]\nttl = 1", "'lookup' stands outside of a section"),
        # values that cannot be
        ("[lookup]\nttl = true", r"ttl in \[lookup\]: True"),
        ("[lookup]\nttl = 1.5", r"ttl in \[lookup\]: 1\.5"),
        ("[lookup]\nttl = -1", r"ttl in \[lookup\]: '-1' is no duration"),
        ("[lookup]\nttl = 'soon'", r"ttl in \[lookup\]: 'soon' is no duration"),
        ("[lookup]\nttl = ''", r"ttl in \[lookup\]"),
        ("[lookup]\nttl = 2026-11-05", r"ttl in \[lookup\]"),
        ("[lookup]\nttl = [1]", r"ttl in \[lookup\]"),
        ("[lookup]\nttl = {}", r"ttl in \[lookup\]"),
        ("[lookup]\nttl = nan", r"ttl in \[lookup\]"),
        ("[lookup]\nmmdb = [1, 2]", r"mmdb in \[lookup\]"),
        ("[lookup]\nmmdb = true", r"mmdb in \[lookup\]"),
        ("[lookup]\nmmdb = [['/a']]", r"mmdb in \[lookup\]"),
        ("[lookup]\nprovider = ''", r"provider in \[lookup\]: the list is empty"),
        ("[lookup]\nprovider = ['one', 2]", r"provider in \[lookup\]"),
        # no TOML
        ("[lookup", "is not TOML"),
        ("[lookup]\nttl = ", "is not TOML"),
        ("[lookup]\nttl = 1\nttl = 2", "is not TOML"),
        ("ttl: 1", "is not TOML"),
        (b"\xff\xfe", "is not TOML"),
        (b"\x00", "is not TOML"),
        ("x = " + "[" * 100_000, "is not TOML"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_broken_file_is_an_error_that_names_it_and_what_is_wrong(
    config: Path, text: str | bytes, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        load(config, text)
    assert str(config) in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[lookup]\nttl = ['1d']", r"ttl in \[lookup\]"),
        ("[lookup]\nttl = []", r"ttl in \[lookup\]"),
        ("[store]\nbusy_timeout = ['1s', '2s']", r"busy_timeout in \[store\]"),
    ],
)
def test_a_duration_is_no_list(config: Path, text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        load(config, text)


def test_an_empty_list_of_providers_in_the_file_is_refused_too(config: Path) -> None:
    with pytest.raises(UsageError, match=r"provider in \[lookup\]: the list is empty"):
        load(config, "[lookup]\nprovider = []")


@pytest.mark.parametrize("key", ["provider", "mmdb"])
def test_a_number_is_neither_a_name_nor_a_path(config: Path, key: str) -> None:
    with pytest.raises(UsageError, match=rf"{key} in \[lookup\]"):
        load(config, f"[lookup]\n{key} = 5")


def test_a_home_directory_that_nobody_has_is_an_error_that_names_the_setting(config: Path) -> None:
    with pytest.raises(UsageError, match="GEOCLI_LOOKUP_MMDB"):
        load(GEOCLI_LOOKUP_MMDB="~no-such-user/x.mmdb")
    with pytest.raises(UsageError, match=r"mmdb in \[lookup\]"):
        load(config, "[lookup]\nmmdb = '~no-such-user/x.mmdb'")


def test_a_number_of_thousands_of_digits_is_an_error(config: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.toml"):
        load(config, "[lookup]\nttl = " + "9" * 5000)


def test_a_section_without_keys_does_no_harm(config: Path) -> None:
    assert load(config, "# nothing\n[lookup]\n[store]\n") == load()
    assert load(config, "") == load()
    assert load(config, "[lookup]\r\nttl = 5 # seconds\r\n").ttl == 5


LINES = """\
[lookup]
[store]
[other]
[[lookup]]
ttl = 1
ttl = '1d'
ttl = 'x'
ttl = {}
provider = 'a'
provider = ['a', 'b']
busy_timeout = 2
mmdb = ['/a', '/b']
mmdb = '/a:/b'
mmdb = [{}]
x = 1
= 1
'
#"""


@examples(200)
@given(
    st.one_of(
        st.binary(max_size=100),
        st.lists(st.sampled_from(LINES.split("\n")), max_size=6).map(lambda lines: "\n".join(lines).encode()),
    )
)
def test_whatever_is_in_the_file_gives_settings_or_a_usage_error(config: Path, text: bytes) -> None:
    try:
        loaded = load(config, text)
    except UsageError:
        return
    assert all(
        isinstance(value, (int, float)) for value in (loaded.ttl, loaded.ttl_unknown, loaded.busy_timeout)
    )
    assert all(isinstance(path, Path) for path in loaded.mmdb)
    assert loaded.provider


# --- online sources -----------------------------------------------------------------------------------

SECRET = "S3CR3T-k3y"  # noqa: S105 (nobody's)
SECTIONS = {"ip_api": "key", "country_is": None, "ipinfo": "token"}


def source(loaded: Settings, section: str) -> SourceSettings:
    return loaded.source(section.replace("_", "-"))


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(
    ("key", "in_file", "from_file", "in_environment", "from_environment"),
    [
        ("url", '"http://one/batch"', "http://one/batch", "https://[::1]:8443/a/b", "https://[::1]:8443/a/b"),
        ("timeout", '"5s"', 5, "1m", 60),
        ("timeout", "7", 7, "1", 1),
        ("batch_size", "50", 50, "1000", 1000),
        ("batch_size", '"1"', 1, "7", 7),
        ("concurrency", "1", 1, "32", 32),
    ],
)
def test_each_source_has_its_settings_in_file_and_environment(
    config: Path,
    section: str,
    key: str,
    in_file: str,
    from_file: Any,
    in_environment: str,
    from_environment: Any,
) -> None:
    file = f"[{section}]\n{key} = {in_file}\n"
    variable = {f"GEOCLI_{section}_{key}".upper(): in_environment}
    assert source(load(config, file), section) == SourceSettings().replace(**{key: from_file})
    assert source(load(config, file, **variable), section) == SourceSettings().replace(
        **{key: from_environment}
    )
    for other in set(SECTIONS) - {section}:
        assert source(load(config, file, **variable), other) == SourceSettings()


def test_without_settings_a_source_is_its_own_business() -> None:
    assert SourceSettings() == SourceSettings(None, None, 10, None, None, None)
    assert [source(load(), section) for section in SECTIONS] == [SourceSettings()] * 3
    assert load().source("nobody") == SourceSettings()
    assert load().max_wait is None


@pytest.mark.parametrize(("section", "key"), [("ip_api", "key"), ("ipinfo", "token")])
def test_a_key_is_a_setting_and_does_not_show_itself(config: Path, section: str, key: str) -> None:
    config.touch(0o600)
    config.chmod(0o600)
    loaded = load(config, f'[{section}]\n{key} = "{SECRET}"\n')
    assert source(loaded, section).key == SECRET
    assert SECRET not in repr(loaded)
    assert SECRET not in repr(source(loaded, section))
    variable = f"GEOCLI_{section}_{key}".upper()
    other = load(config, f'[{section}]\n{key} = "{SECRET}"\n', **{variable: "other"})
    assert source(other, section).key == "other"
    assert source(load(**{variable: "12345"}), section).key == "12345"


URLS_THAT_ARE_NONE = [
    "ip-api.com/batch",
    "//ip-api.com/batch",
    "ftp://ip-api.com/batch",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://",
    "http:///batch",
    "http:// /batch",
    "http://host/a b",
    "http://host/\x1b[2J",
    "http://host/\u202e",
    "http://host:99999/",
    "http://[::1/",
    "http://host/#fragment",
    "x",
    "http:/host/",
]
URLS_WITH_A_SECRET = [
    f"http://user:{SECRET}@host/batch",
    f"http://{SECRET}@host/batch",
    f"https://host/batch?key={SECRET}",
    f"https://host/batch?{SECRET}",
    f"https://host/batch#{SECRET}",
    f"https://user:{SECRET}@host:99999/",
    f"https://user:{SECRET}@[::1/",
    f"https://user:{SECRET}@host\u2100/",
    f"https://user:{SECRET}",
    f"{SECRET}",
    f"https://user:{SECRET}@host/\x1b",
]


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("url", [*URLS_THAT_ARE_NONE, *URLS_WITH_A_SECRET], ids=ascii)
def test_a_url_that_is_none_or_has_a_secret_in_it_is_refused(config: Path, section: str, url: str) -> None:
    variable = f"GEOCLI_{section}_URL".upper()
    with pytest.raises(UsageError, match=f"^{variable}: ") as caught:
        load(**{variable: url})
    assert SECRET not in str(caught.value)
    if url.isprintable():
        with pytest.raises(UsageError, match=rf"url in \[{section}\]") as caught:
            load(config, f"[{section}]\nurl = '{url}'\n")
        assert str(config) in str(caught.value)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(
            ("batch_size", text)
            for text in ("0", "1001", "-1", "many", "1.5", "1e2", "٣", "9" * 5000, " ", "+5")
        ),
        *(("concurrency", text) for text in ("0", "33", "-1", "all", "2.0")),
        *(("timeout", text) for text in ("0", "0s", "3601", "2h", "-1", "soon", "1.5", "inf", "9" * 400)),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_numbers_that_cannot_be_are_refused(config: Path, section: str, key: str, value: str) -> None:
    variable = f"GEOCLI_{section}_{key}".upper()
    with pytest.raises(UsageError, match=f"^{variable}: ") as caught:
        load(**{variable: value})
    assert len(str(caught.value)) < 300
    with pytest.raises(UsageError, match=rf"{key} in \[{section}\]") as caught:
        load(config, f"[{section}]\n{key} = '{value}'\n")
    assert str(config) in str(caught.value)


@pytest.mark.parametrize("value", ["true", "1.5", "[]", "[50]", "{}", "2026-11-05", "-5", "nan"])
@pytest.mark.parametrize("key", ["batch_size", "concurrency", "url", "timeout"])
def test_values_of_another_type_are_refused(config: Path, key: str, value: str) -> None:
    with pytest.raises(UsageError, match=rf"{key} in \[ip_api\]"):
        load(config, f"[ip_api]\n{key} = {value}\n")


@pytest.mark.parametrize(("section", "key"), [("ip_api", "key"), ("ipinfo", "token")])
@pytest.mark.parametrize(
    "value",
    [f"{SECRET} {SECRET}", f"{SECRET}\n", f"\x1b{SECRET}", f"{SECRET}é", SECRET * 100, f"\t{SECRET}"],
    ids=ascii,
)
def test_what_cannot_be_a_key_is_refused_without_showing_it(section: str, key: str, value: str) -> None:
    variable = f"GEOCLI_{section}_{key}".upper()
    with pytest.raises(UsageError, match=f"^{variable}: ") as caught:
        load(**{variable: value})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"[ip_api]\nkey = ['{SECRET}']",
        f"[ip_api]\nkey = {{secret = '{SECRET}'}}",
        f"[ip_api]\nkey = '{SECRET} x'",
        f"[ip_api]\ntoken = '{SECRET}'",
        f"[country_is]\nkey = '{SECRET}'",
        f"[ipinfo]\nkey = '{SECRET}'",
        f"[ip-api]\nkey = '{SECRET}'",
        f"key = '{SECRET}'",
        f"[ip_api]\nkey = '{SECRET}",
        f'[ip_api]\nkey = "{SECRET}\\q"',
        f"[ip_api]\nkey = {SECRET}",
        f"[ip_api]\nkey = '{SECRET}'\nkey = '{SECRET}'",
        f"[ip_api]\nurl = '{SECRET}'",
        f"[ip_api]\nkey = ''' {SECRET}\n '''",
        f"[ip_api.key]\nx = '{SECRET}'",
    ],
    ids=ascii,
)
def test_no_error_about_the_file_shows_a_key(config: Path, text: str) -> None:
    config.touch(0o600)
    with pytest.raises(UsageError) as caught:
        load(config, text)
    assert str(config) in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o666, 0o777, 0o601])
def test_a_file_with_a_key_that_others_may_open_is_refused(config: Path, mode: int) -> None:
    config.write_text(f"[ipinfo]\ntoken = '{SECRET}'\n")
    config.chmod(mode)
    with pytest.raises(DamagedFileError, match="chmod") as caught:
        load_settings(Flags(config=config), {})
    assert caught.value.exit_code is ExitCode.DAMAGED
    assert str(config) in str(caught.value)
    assert SECRET not in str(caught.value)
    config.chmod(0o600)
    assert load_settings(Flags(config=config), {}).source("ipinfo").key == SECRET


def test_a_timeout_given_on_the_command_line_is_for_all_sources() -> None:
    loaded = load(GEOCLI_IP_API_TIMEOUT="3", GEOCLI_IPINFO_URL="http://here/").with_timeout(5)
    assert {source(loaded, section).timeout for section in SECTIONS} == {5}
    assert source(loaded, "ipinfo").url == "http://here/"


def test_how_long_to_wait_is_a_setting(config: Path) -> None:
    assert load(config, "[lookup]\nmax_wait = '30s'\n").max_wait == 30
    assert load(config, "[lookup]\nmax_wait = 0\n").max_wait == 0
    assert load(config, "[lookup]\nmax_wait = 5\n", GEOCLI_LOOKUP_MAX_WAIT="2m").max_wait == 120
    with pytest.raises(UsageError, match=r"^GEOCLI_LOOKUP_MAX_WAIT: "):
        load(GEOCLI_LOOKUP_MAX_WAIT="-1")


@pytest.mark.parametrize(
    "variable", ["GEOCLI_IP_API_URL", "GEOCLI_IP_API_BATCH_SIZE", "GEOCLI_IPINFO_TIMEOUT"]
)
def test_a_setting_that_is_wrong_is_one_line_on_stderr(data_dir: Path, variable: str) -> None:
    done = Geocli(data_dir, {variable: f"\x1b {SECRET}\n"})("-p", "ip-api", "8.8.8.8")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert variable in done.stderr
    assert done.stderr.rstrip("\n").isprintable()


@pytest.mark.parametrize("variable", ["GEOCLI_LOOKUP_TTL", "GEOCLI_LOOKUP_TTL_UNKNOWN"])
@pytest.mark.parametrize("value", ["999999999y", "2026y"])
def test_a_time_to_live_beyond_all_time_is_no_traceback(data_dir: Path, variable: str, value: str) -> None:
    geocli = Geocli(data_dir, {variable: value})
    for _ in range(2):
        done = geocli("8.8.8.8")
        assert done.returncode in {0, 2}
        assert len(done.stderr.splitlines()) <= 1


@pytest.mark.parametrize("name", ["GEOCLI_DATA_DIR", "GEOCLI_CONFIG", "XDG_DATA_HOME"])
@pytest.mark.parametrize("text", ["$HOME/.x", "${HOME}/.x", "~/.x", "~root/x"])
def test_what_no_shell_has_replaced_is_refused(home: Path, name: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is .*write the path out"):
        load_settings(Flags(), {name: text})
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", ["a$HOME", "$HOME", "~", "a b", "it's", '"', "ü", "a%b?c#d", "\udcff"])
def test_the_path_that_was_given_is_the_path_that_is_used(tmp_path: Path, name: str) -> None:
    """diskcache would replace variables in it."""
    geocli = Geocli(tmp_path / "set" / name, {"HOME": str(tmp_path / "home")})
    assert geocli("8.8.8.8").returncode == 0
    assert geocli("--data-dir", geocli.data_dir, "9.9.9.9").returncode == 0
    assert geocli("flush", "-j").stdout.startswith('{"flushed": 2,')
    assert list((tmp_path / "home").iterdir()) == []
    assert [path.name for path in (tmp_path / "set").iterdir()] == [name]
    assert {path.name for path in geocli.data_dir.iterdir()} > {"geo.db", "journal"}


def test_a_data_directory_with_a_line_break_in_its_name_is_refused(tmp_path: Path) -> None:
    done = Geocli(tmp_path)("--data-dir", tmp_path / "a\nb", "8.8.8.8")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert not list(tmp_path.glob("a*"))
