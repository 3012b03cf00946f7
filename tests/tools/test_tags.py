"""The recipe of the list of tags: which lists count, what overlaps, and the same bytes each time."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from geocli.lookup.tags import read_ranges, tag_file
from tools import tags

LISTS = {
    "amazon-aws": ["192.0.2.0/25", "192.0.2.128/25", "2001:db8::/32"],
    "akamai": ["192.0.2.0/24", "198.51.100.0/24"],
    "censys-scanning": ["192.0.2.8/31"],
    "censys-nt-scanning": ["192.0.2.8/32", "203.0.113.7/32"],
    "coalition-signals-intelligence-nt-scanning": ["198.51.100.1/32"],
    "vpn-ipv4": ["203.0.113.0/24"],
    "stackpath": ["203.0.113.0/24"],
    "microsoft-azure-appid": ["14d82eec"],
    "google": [".google.example"],
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "lists.whl"
    with zipfile.ZipFile(path, "w") as file:
        for name, found in LISTS.items():
            member = f"pymispwarninglists/data/misp-warninglists/lists/{name}/list.json"
            file.writestr(member, json.dumps({"list": found}))
    return path


def test_lists_become_ranges_that_do_not_overlap(package: Path) -> None:
    assert list(tags.lines(package)) == [
        "192.0.2.0\t192.0.2.7\tcloud:aws\n",
        "192.0.2.8\t192.0.2.9\tcloud:aws,scanner:censys\n",
        "192.0.2.10\t192.0.2.255\tcloud:aws\n",
        "198.51.100.0\t198.51.100.0\tcdn:akamai\n",
        "198.51.100.1\t198.51.100.1\tcdn:akamai,scanner:coalition\n",
        "198.51.100.2\t198.51.100.255\tcdn:akamai\n",
        "203.0.113.7\t203.0.113.7\tscanner:censys\n",
        "2001:db8::\t2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\tcloud:aws\n",
    ]


def test_it_is_written_with_its_licence_the_same_each_time(package: Path, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        tags.write(package, tmp_path / name)
        made.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert made[0] == made[1]
    list_name, licence_name = f"tags-{tags.EDITION}.tsv", f"tags-{tags.EDITION}.licence.txt"
    assert made[0].keys() == {list_name, licence_name}
    assert len(list(read_ranges(tmp_path / "one" / list_name))) == 8
    shipped = tag_file().path
    assert shipped.name == list_name
    assert shipped.with_name(licence_name).read_bytes() == made[0][licence_name]


def test_another_package_is_refused(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package.rename(package.with_name(tags.LISTS.name))
    monkeypatch.setattr("sys.argv", ["tags", str(package.parent)])
    with pytest.raises(SystemExit, match="another file than the recipe"):
        tags.main()
