"""Builds the database that ships with geocli, out of open data; the same inputs give the same bytes.

Usage: ``python -m tools.embedded DATA CACHE [OUTPUT]``. DATA is the folder with the files that
``tools/embedded_inputs.py`` names; CACHE is a folder for npm's packages and for work; OUTPUT is the folder to
write ``embedded-EDITION.mmdb`` and its licence to (default: geocli's own). The report goes to stdout: how far
the sources reach and agree, then what ``tools.accuracy`` measures.

Countries: DB-IP's, unless the others agree on another (IPv4: three of them, IPv6: two, since few know all of
it); then what large operators declare about their own networks. ``docs/accuracy.md`` has what other recipes
reach.
"""

from __future__ import annotations

import csv
import lzma
import sys
import tarfile
import time
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from geocli.mmdb.builder.build import Built, Origin, Recipe, build
from geocli.mmdb.builder.overlay import RangeAnswer, Stretch, Vote, answers, stretches
from geocli.mmdb.builder.ranges import Overlaps, country_of_row, read_ranges
from geocli.mmdb.builder.report import report_text
from geocli.mmdb.embedded import EMBEDDED
from tools import accuracy
from tools import embedded_inputs as inputs
from tools.npm import Package, WrongFileError, fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from geocli.mmdb.builder.ranges import Progress, Range

# Countries that hardly anybody is in, and that sources name for networks that are anywhere.
DOUBTFUL = frozenset({"AQ", "SC"})
VOTES = {4: Vote(outvote=3, doubtful=DOUBTFUL), 6: Vote(outvote=2, doubtful=DOUBTFUL)}
# geo-whois gives ranges that span several delegations the country of the registry itself.
_REGISTRIES_HOMES = frozenset({"AU", "MU"})

DESCRIPTION = "IPv4 and IPv6 networks to country, AS number and organisation, out of open data"
LICENCE = (
    "CC BY 4.0. IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0. NRO (https://www.nro.net) statistics,"
    " CC BY 4.0. RouteViews (https://www.routeviews.org), CC BY 4.0. iptoasn (https://iptoasn.com), PDDL."
    " ip-location-db geo-whois-asn-country, CC0. Address ranges as published by AWS, Azure, Google Cloud,"
    " Oracle Cloud, DigitalOcean and Linode. Country names: Unicode CLDR. Changed: sources were combined."
)


def main() -> None:
    """Build, measure, report."""
    if not 3 <= len(sys.argv) <= 4:
        raise SystemExit(__doc__)
    data, cache = Path(sys.argv[1]), Path(sys.argv[2])
    output = Path(sys.argv[3]) if len(sys.argv) == 4 else EMBEDDED
    output.mkdir(parents=True, exist_ok=True)  # before work that takes minutes
    try:
        built = make(data, cache, output / f"embedded-{inputs.EDITION}.mmdb", progress_on_stderr())
        sys.stdout.write(report_text(built.report.rows()))
        sys.stdout.write(accuracy.report(output / f"embedded-{inputs.EDITION}.mmdb", data, cache))
    except WrongFileError as error:
        raise SystemExit(f"embedded: {error}") from None


def make(data: Path, cache: Path, output: Path, progress: Progress) -> Built:
    """Write the database to ``output``, its licence beside it. Raises ``WrongFileError``, ``GeocliError``."""
    dbip, registries, iptoasn = (
        {family: inputs.data_file(file, data) for family, file in files.items()}
        for files in (inputs.DBIP, inputs.REGISTRIES, inputs.IPTOASN)
    )
    work = cache / "work"
    work.mkdir(parents=True, exist_ok=True)
    geo_whois = _members(inputs.GEO_WHOIS, cache, "geo-whois-asn-country-ipv{}.csv")
    systems = _members(inputs.SYSTEMS, cache, "asn-ipv{}.csv")
    read = _reader(progress)
    lists = [read(files.values()) for files in (dbip, registries, geo_whois)]
    mended = {
        family: _written(
            work / f"geo-whois-mended-ipv{family}.csv",
            mend(lists[0][family], lists[1][family], lists[2][family]),
        )
        for family in (4, 6)
    }
    given_out = _written(work / "dbip-delegated-ipv6.csv", delegated(lists[0][6], lists[1][6]))
    recipe = Recipe(
        countries={
            "dbip": [dbip[4], given_out],
            "geo-whois": list(mended.values()),
            "rir": list(registries.values()),
            "iptoasn": list(iptoasn.values()),
        },
        systems=list(systems.values()),
        overlays=declared(inputs.data_file(inputs.OPERATORS, data), work),
        overlaps=Overlaps.NARROWEST,
        votes=VOTES,
    )
    built = build(recipe, output, Origin("embedded", inputs.EDITION, DESCRIPTION, LICENCE), progress)
    text = Path(__file__).with_name("embedded_licence.txt").read_text(encoding="utf-8")
    output.with_suffix(".licence.txt").write_text(text.format(edition=inputs.EDITION), encoding="utf-8")
    return built


def mend(dbip: list[Range], registries: list[Range], geo_whois: list[Range]) -> Iterator[Stretch]:
    """Yield what geo-whois says without its faults.

    Where it alone says the home of a registry (Australia, Mauritius), the registry's delegation is taken; for
    Antarctica, what DB-IP says.
    """
    for piece in stretches([dbip, registries, geo_whois], [], [], Vote()):
        first, registry, code = piece.said
        if code in _REGISTRIES_HOMES and code not in {first, registry} and registry is not None:
            code = registry
        elif code == "AQ":
            code = first
        yield piece._replace(answer=RangeAnswer(code, None))


def delegated(dbip: list[Range], registries: list[Range]) -> Iterator[Stretch]:
    """Yield what DB-IP says about space that was given out: it names a country for all of IPv6."""
    for piece in stretches([dbip, registries], [], [], Vote()):
        first, registry = piece.said
        yield piece._replace(answer=RangeAnswer(None if registry is None else first, None))


def declared(path: Path, work: Path) -> list[Path]:
    """Write what operators declare as range CSVs, one a family."""
    rows: dict[int, list[tuple[object, object, str]]] = {4: [], 6: []}
    with lzma.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            network = ip_network(row["network"])
            rows[network.version].append((network[0], network[-1], row["country_code"]))
    paths = []
    for family, found in rows.items():
        paths.append(work / f"operators-ipv{family}.csv")
        with paths[-1].open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(found)
    return paths


def _reader(progress: Progress) -> Callable[[Iterable[Path]], dict[int, list[Range]]]:
    from collections import Counter
    from functools import partial

    value_of = partial(country_of_row, Counter())
    return lambda paths: read_ranges(paths, value_of, Overlaps.NARROWEST, progress)


def _members(package: Package, cache: Path, name: str) -> dict[int, Path]:
    """Unpack a package's file of each family into the cache."""
    folder = cache / "work" / package.file_name.removesuffix(".tgz")
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    with tarfile.open(fetch(package, cache)) as archive:
        for family in (4, 6):
            member = archive.extractfile(f"package/{name.format(family)}")
            if member is None:
                raise WrongFileError(f"{package.name} has no {name.format(family)}")
            found[family] = folder / name.format(family)
            found[family].write_bytes(member.read())
    return found


def _written(path: Path, pieces: Iterator[Stretch]) -> Path:
    """Write stretches as a range CSV. Integers, which are quicker to write and read than addresses."""
    with path.open("w", encoding="utf-8") as file:
        for start, end, answer in answers(pieces):
            file.write(f"{start},{end},{answer.country}\n")
    return path


def progress_on_stderr() -> Progress:
    """Return a callback that says each new step, and after how many seconds it began."""
    begun, said = time.monotonic(), ""

    def show(step: str, _done: int, _total: int) -> None:
        nonlocal said
        if step != said:
            said = step
            sys.stderr.write(f"{time.monotonic() - begun:6.1f} s  {step}\n")

    return show


if __name__ == "__main__":
    main()
