"""Which of the downloaded databases are asked, known from their names alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from geocli.mmdb.downloads.installed import in_use, installed, is_edition, is_name, reasons
from geocli.mmdb.embedded import embedded_path, embedded_source
from geocli.model.errors import DamagedFileError

EMBEDDED = embedded_source().removeprefix("mmdb:")


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
        (["a-2026-10.country.mmdb"], [("a-2026-10", "country"), (EMBEDDED, "asn")]),
        (["a-2026-10.asn.mmdb"], [(EMBEDDED, "country"), ("a-2026-10", "asn")]),
        (["a-2026-10.country+city.mmdb"], [("a-2026-10", "country,city"), (EMBEDDED, "asn")]),
        (["a-2026-10.country+asn.mmdb"], [("a-2026-10", "country,asn")]),
        (
            ["dbip-country-2026-10.country.mmdb", "dbip-asn-2026-10.asn.mmdb"],
            [("dbip-country-2026-10", "country"), ("dbip-asn-2026-10", "asn")],
        ),
        (  # what has more comes first, and what adds nothing is left out
            ["a-2026-11.country.mmdb", "b-2026-10.country+asn.mmdb", "c-2026-10.country+city.mmdb"],
            [("c-2026-10", "country,city"), ("b-2026-10", "asn")],
        ),
        (  # of equals the newer
            ["a-2026-10.country.mmdb", "b-2026-11.country.mmdb"],
            [("b-2026-11", "country"), (EMBEDDED, "asn")],
        ),
        (  # of one database the newest edition, if an update was killed before it removed the other
            ["a-2026-10-05.country.mmdb", "a-2026-11-05.country.mmdb"],
            [("a-2026-11-05", "country"), (EMBEDDED, "asn")],
        ),
    ],
)
def test_the_downloaded_ones_are_asked_in_a_fixed_order(
    files: list[str], expected: list[tuple[str, str]], directory: Path
) -> None:
    assert chosen(directory, *files) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (  # sixty days and more: what is old is not asked for what newer ones give, whatever else it has
            ["ipinfo-lite-2024-03-01.country+asn.mmdb", "dbip-country-2026-11-01.country.mmdb"],
            [("dbip-country-2026-11-01", "country"), (EMBEDDED, "asn")],
        ),
        (
            ["a-2020-01.country+asn.mmdb", "b-2024-01.country+asn.mmdb", "c-2026-11.country+asn.mmdb"],
            [("c-2026-11", "country,asn")],
        ),
        (["a-2020-01.country+asn.mmdb"], [(EMBEDDED, "country,asn")]),
        (  # the only one with cities goes on giving them, behind a newer one's country
            ["a-2020-01.country+city.mmdb"],
            [(EMBEDDED, "country,asn"), ("a-2020-01", "city")],
        ),
        (["a-2026-13.country.mmdb"], [(EMBEDDED, "country,asn")]),  # a day that there never was
        (  # 59 days are not sixty
            ["a-2026-11-30.country.mmdb", "b-2026-10-02.country+asn.mmdb"],
            [("b-2026-10-02", "country,asn")],
        ),
        (
            ["a-2026-11-30.country.mmdb", "b-2026-10-01.country+asn.mmdb"],
            [("a-2026-11-30", "country"), ("b-2026-10-01", "asn")],
        ),
    ],
)
def test_what_is_much_newer_answers_for_what_it_gives(
    files: list[str], expected: list[tuple[str, str]], directory: Path
) -> None:
    assert chosen(directory, *files) == expected


def test_each_says_why_it_is_asked_or_not(directory: Path) -> None:
    chosen(
        directory,
        *("ipinfo-lite-2024-03-01.country+asn.mmdb", "dbip-country-2026-11-01.country.mmdb"),
        *("maxmind-city-2020-01-01.country+city.mmdb", "b-2026-10-25.country.mmdb"),
    )
    said = {path.name.partition("-20")[0]: reason for path, reason in reasons(directory).items()}
    assert said["ipinfo-lite"] == "dbip-country-2026-11-01 is 975 days newer"
    assert said["maxmind-city"] == "the only one with city"
    assert said["b"] == "behind dbip-country-2026-11-01"
    assert said["dbip-country"] == "newest"


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
