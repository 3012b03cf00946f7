"""A month of bans: real addresses of attackers, with times that are made up.

An address comes at a moment of its own in the month, and comes again the more often, the more block lists
name it. Nothing is arranged among addresses: what crowds together does so because the addresses do.
"""

from __future__ import annotations

import lzma
import random
from datetime import datetime, timedelta
from functools import cache

from tests.conftest import FIXTURES

DAYS = 30
_FILE = FIXTURES / "attackers" / "attackers-2026-08.tsv.xz"


@cache
def attackers() -> list[tuple[str, int]]:
    """Addresses, and how many block lists name each."""
    lines = lzma.decompress(_FILE.read_bytes()).decode().splitlines()
    return [(address, int(lists)) for address, lists in (line.split("\t") for line in lines)]


def month_of_bans(end: datetime, seed: int = 1) -> str:
    """fail2ban's log of a server whose ``DAYS`` days of bans end at that moment (UTC)."""
    generator = random.Random(seed)  # noqa: S311 (a simulation)
    bans = []
    for address, lists in attackers():
        moment = end - timedelta(days=DAYS * generator.random())
        while moment < end:
            bans.append((moment, address))
            if generator.random() > lists / 12:
                break
            moment += timedelta(days=generator.expovariate(0.5))
    return "".join(
        f"{moment:%Y-%m-%d %H:%M:%S},000 fail2ban.actions        [728]: NOTICE  [sshd] Ban {address}\n"
        for moment, address in sorted(bans)
    )
