"""Which of the downloaded databases are asked, known from their names alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from geocli.mmdb.downloads.installed import in_use, installed, is_edition, is_name
from geocli.mmdb.reader import embedded_path
from geocli.model.errors import DamagedFileError

EMBEDDED = "embedded-2026-06"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "data" / "mmdb").mkdir(0o700, parents=True)
    return tmp_path / "data" / "mmdb"


def chosen(directory: Path, *files: str) -> list[tuple[str | None, str]]:
    for file in files:
        (directory / file).write_bytes(b"")
    return [(one.source, ",".join(one.serves or ())) for one in in_use(directory)]


def test_without_downloads_the_embedded_database_is_asked_for_everything(directory: Path) -> None:
    assert chosen(directory) == chosen(directory / "missing") == [(EMBEDDED, "country,asn")]
    assert in_use(None)[0].path == embedded_path()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["a-2026-01.country.mmdb"], [("a-2026-01", "country"), (EMBEDDED, "asn")]),
        (["a-2026-01.asn.mmdb"], [("a-2026-01", "asn"), (EMBEDDED, "country")]),
        (["a-2026-01.country+city.mmdb"], [("a-2026-01", "country,city"), (EMBEDDED, "asn")]),
        (["a-2026-01.country+asn.mmdb"], [("a-2026-01", "country,asn")]),
        (
            ["dbip-country-2026-01.country.mmdb", "dbip-asn-2026-01.asn.mmdb"],
            [("dbip-country-2026-01", "country"), ("dbip-asn-2026-01", "asn")],
        ),
        (  # what has more comes first, and what adds nothing is left out
            ["a-2026-02.country.mmdb", "b-2026-01.country+asn.mmdb", "c-2026-01.country+city.mmdb"],
            [("c-2026-01", "country,city"), ("b-2026-01", "asn")],
        ),
        (  # of equals the newer
            ["a-2026-01.country.mmdb", "b-2026-02.country.mmdb"],
            [("b-2026-02", "country"), (EMBEDDED, "asn")],
        ),
        (  # of one database the newest edition, if an update was killed before it removed the other
            ["a-2026-01-05.country.mmdb", "a-2026-02-05.country.mmdb"],
            [("a-2026-02-05", "country"), (EMBEDDED, "asn")],
        ),
    ],
)
def test_the_downloaded_ones_are_asked_in_a_fixed_order(
    files: list[str], expected: list[tuple[str, str]], directory: Path
) -> None:
    assert chosen(directory, *files) == expected


@pytest.mark.parametrize(
    "file",
    [
        "a.mmdb", "GeoLite2-City.mmdb", "a-2026-01.mmdb", "a-2026-01.country.mmdb.gz", ".packed.part",
        ".a-2026-01.country.mmdb",
        "a-2026.country.mmdb", "a-2026-01.planet.mmdb", "a-2026-01.country+.mmdb", "-2026-01.country.mmdb",
        "verified.json", "a-2026-01.country.mmdb\n",
    ],
)  # fmt: skip
def test_what_is_called_otherwise_is_left_alone(file: str, directory: Path) -> None:
    assert chosen(directory, file) == [(EMBEDDED, "country,asn")]


def test_the_files_that_a_user_names_come_instead_of_all_others(directory: Path) -> None:
    (directory / "a-2026-01.country.mmdb").write_bytes(b"")
    (one,) = in_use(directory, [Path("x.mmdb")])
    assert (one.path, one.serves, one.source) == (Path("x.mmdb"), None, None)


def test_a_directory_that_others_may_write_is_refused(directory: Path) -> None:
    (directory / "a-2026-01.country.mmdb").write_bytes(b"")
    directory.chmod(0o777)
    with pytest.raises(DamagedFileError, match="can be written by other users"):
        installed(directory)


def test_names_and_editions_are_short_words() -> None:
    assert all(map(is_name, ["a", "dbip-city", "GeoLite2.City_x", "a" * 64]))
    assert not any(map(is_name, ["", "-a", ".a", "a/b", "a b", "a\n", "ü", "a..b", "a" * 65, "a+b"]))
    assert all(map(is_edition, ["2026-11", "2026-11-25"]))
    assert not any(map(is_edition, ["", "2026", "2026-11-25T00", "x", "2026-11\n"]))
