"""What kind of holder an address has: told by lists, else by its AS's number and name, or ``unknown``.

The latter is a guess, and a coarse one: one AS may have offices, servers and homes in it. It decides how much
an innocent neighbour counts (``CARE``): behind an address of an access provider sit people, often many at
once (RFC 6598), behind one of a hosting company hardly any. What decides is in the tables here, nowhere else.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CARE = {"hosting": 1, "cloud": 1, "research": 1, "unknown": 2, "access": 4}
"""The kinds, and how often an innocent address counts that belongs to one."""

_CLOUDS = frozenset({
    8075,  # Microsoft
    13335,  # Cloudflare
    14061,  # DigitalOcean
    14618, 16509,  # Amazon
    15169, 396982,  # Google
    20473,  # Vultr (The Constant Company)
    20940, 63949,  # Akamai, with Linode
    31898,  # Oracle
    36351,  # IBM, formerly SoftLayer
    37963, 45102,  # Alibaba
    38365,  # Baidu
    45090, 132203,  # Tencent
    54113,  # Fastly
    55990, 136907,  # Huawei Cloud
    135377,  # UCloud
    137718, 150436,  # Volcano Engine, BytePlus
})  # fmt: skip
"""Platforms where addresses change hands by the hour, and where services live that people depend on."""

_LISTED = {"scanner": "research", "cloud": "cloud", "cdn": "cloud"}
"""What a tag begins with, and the kind that it tells; the first of them counts."""

_RESEARCH = r"alpha strike labs|binaryedge|censys|driftnet|leakix|modat\b|onyphe|rapid7|shadowserver|shodan"
"""Who scans the whole Internet, openly."""

_ACCESS = (
    r"airtel|at&t|broadband|cable|cellular|china ?(?:net|mobile|unicom)|claro|comcast|communicac|"
    r"communications|etisalat|fib(?:er|re)|free sas|frontier|internet (?:access|service)|jio\b|kyivstar|"
    r"mobil|orange|provincial net|ptcl|sanchar|space exploration|spectrum|starlink|"
    r"tele(?:centro|com|fon|kom|net|nor|vision)|telia|telstra|telus|turkcell|uninet|verizon|viettel|vnpt|vodafone|"
    r"wifi|wireless"
)
_HOSTING = (
    r"cloud|colo(?:cation|\b|crossing)|contabo|data ?cent(?:er|re)|datacamp|dedicated|dedi\b|"
    r"godaddy|hetzner|host|hostpapa|hydra communications|infomaniak|ionos|latitude\.sh|leaseweb|m247|"
    r"mevspace|netcup|ovh|rackspace|scaleway|serv(?:er|inga)|tzulo|velia|virtual|vps|zenlayer|"
    r"frantech|ip volume|private layer|g-core|edgecenter"
)


def listed_kind(tags: Iterable[str] | None) -> str | None:
    """The kind that the tags of an address tell; ``None`` for most.

    Example: ``["cloud:aws", "scanner:cypex"]`` is ``research``, whoever the AS belongs to.
    """
    if not tags:
        return None
    begins = {tag.partition(":")[0] for tag in tags}
    return next((kind for begin, kind in _LISTED.items() if begin in begins), None)


@cache
def kind_of(asn: int | None, name: str | None) -> str:
    """One of ``CARE`` for the holder of an AS.

    Example: ``kind_of(24940, "Hetzner Online GmbH")`` is ``hosting``, ``kind_of(64496, "ACME")`` ``unknown``.
    """
    if asn in _CLOUDS:
        return "cloud"
    words = (name or "").lower()
    for kind, pattern in (("research", _RESEARCH), ("hosting", _HOSTING), ("access", _ACCESS)):
        if re.search(rf"\b(?:{pattern})" if kind == "research" else pattern, words):
            return kind
    return "unknown"
