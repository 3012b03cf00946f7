"""Makes geocli's list of tags out of MISP's warning lists; the same input gives the same bytes.

    pip download --no-deps pymispwarninglists==1.7.0 --dest FOLDER
    python -m tools.tags FOLDER [OUTPUT]

OUTPUT is the folder to write ``tags-EDITION.tsv`` and its licence to (default: geocli's own). A line is the
first and the last address of a range, and its tags. Ranges are in order, IPv4 first, and do not overlap.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections import defaultdict
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geocli.mmdb.embedded import EMBEDDED
from tools.embedded_inputs import DataFile, data_file
from tools.npm import WrongFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Address, IPv6Address

EDITION = "2025-12"  # of the newest lists in it
LISTS = DataFile(
    "pymispwarninglists-1.7.0-py3-none-any.whl",
    "18b0922a6334e20850b7ab84a0d9e52746302abc36ec034ecc141fb2db67d4a7",
)

_LIST = re.compile(r"pymispwarninglists/data/misp-warninglists/lists/([^/]+)/list\.json")
_SCANNER = re.compile(r"([a-z0-9-]+?)(?:-research|-signals-intelligence)?(?:-nt)?-(?:scanning|scanner)")
_OTHERS = {
    "shadowserver": "scanner:shadowserver",
    "tenable-cloud-ipv4": "scanner:tenable",
    "tenable-cloud-ipv6": "scanner:tenable",
    "research-scanner-nt-scanning": "scanner:unnamed",
    "amazon-aws": "cloud:aws",
    "google-gcp": "cloud:google",
    "microsoft-azure": "cloud:azure",
    "microsoft-azure-china": "cloud:azure",
    "microsoft-azure-us-gov": "cloud:azure",
    "akamai": "cdn:akamai",
    "cloudflare": "cdn:cloudflare",
    "fastly": "cdn:fastly",
}
# Akamai's list is of 2024, out of routes. What a cloud says of its own networks is truer.
_GUESSED = frozenset({"cdn:akamai"})


class Span(NamedTuple):
    """A range with what is known of all of it."""

    first: IPv4Address | IPv6Address
    last: IPv4Address | IPv6Address
    tags: frozenset[str]


def main() -> None:
    """Write the list and its licence."""
    if not 2 <= len(sys.argv) <= 3:
        raise SystemExit(__doc__)
    try:
        path = data_file(LISTS, Path(sys.argv[1]))
    except WrongFileError as error:
        raise SystemExit(f"tags: {error}") from None
    output = Path(sys.argv[2]) if len(sys.argv) == 3 else EMBEDDED
    write(path, output)


def write(path: Path, output: Path) -> None:
    """Make the list, in a folder, of a package."""
    (output / f"tags-{EDITION}.tsv").write_text("".join(lines(path)), encoding="ascii")
    text = Path(__file__).with_name("tags_licence.txt").read_text(encoding="utf-8")
    (output / f"tags-{EDITION}.licence.txt").write_text(text, encoding="utf-8")


def lines(path: Path) -> Iterator[str]:
    """Yield the list's lines."""
    for span in spans(path):
        yield f"{span.first}\t{span.last}\t{','.join(sorted(span.tags))}\n"


def tag_of(name: str) -> str | None:
    """The tag that a list of MISP's stands for: ``censys-scanning`` is ``scanner:censys``."""
    if name in _OTHERS:
        return _OTHERS[name]
    scanner = _SCANNER.fullmatch(name)
    return None if scanner is None else f"scanner:{scanner[1]}"


def spans(path: Path) -> Iterator[Span]:
    """Yield ranges with their tags: in order, apart from each other, as long as they can be."""
    # By family, where tags begin (+1) and are no longer (-1).
    changes: dict[int, dict[int, list[tuple[str, int]]]] = {4: defaultdict(list), 6: defaultdict(list)}
    with zipfile.ZipFile(path) as package:
        for member in sorted(package.namelist()):
            found = _LIST.fullmatch(member)
            tag = None if found is None else tag_of(found[1])
            if tag is None:
                continue
            for text in json.loads(package.read(member))["list"]:
                network = ip_network(text)
                family = changes[network.version]
                family[int(network[0])].append((tag, 1))
                family[int(network[-1]) + 1].append((tag, -1))
    for version, family in changes.items():
        yield from _spans(family, type(ip_network("0.0.0.0/0" if version == 4 else "::/0")[0]))


def _spans(
    changes: dict[int, list[tuple[str, int]]], address: type[IPv4Address | IPv6Address]
) -> Iterator[Span]:
    counts: dict[str, int] = defaultdict(int)
    waiting: tuple[int, int, frozenset[str]] | None = None  # it may go on
    for begin, end in pairwise(sorted(changes)):
        for tag, step in changes[begin]:
            counts[tag] += step
        tags = frozenset(tag for tag, count in counts.items() if count)
        if any(tag.startswith("cloud:") for tag in tags):
            tags -= _GUESSED
        if waiting is not None and waiting[1] == begin and waiting[2] == tags:
            waiting = (waiting[0], end, tags)
            continue
        if waiting is not None and waiting[2]:
            yield Span(address(waiting[0]), address(waiting[1] - 1), waiting[2])
        waiting = (begin, end, tags)
    if waiting is not None and waiting[2]:
        yield Span(address(waiting[0]), address(waiting[1] - 1), waiting[2])


if __name__ == "__main__":
    main()
