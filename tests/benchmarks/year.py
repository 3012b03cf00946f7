"""A simulated year of bans in a store: 1,000 a day, over 300 networks, as they would have been recorded."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from geocli.model.bans import SeenBan
from geocli.model.records import GeoRecord, utc_text
from geocli.storage.batch import Batch
from geocli.storage.store.sqlite import SqliteStore
from tests.benchmarks.inputs import address

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS, A_DAY, NETWORKS = 365, 1000, 300
_DAY = 86400
_COUNTRIES = ("US", "CN", "RU", "DE", "BR", "IN", "VN", "NL", "FR", "ID")


def write_year(path: Path) -> None:
    """Make the store: some 76,000 addresses, answered, and 365,000 bans, the last of them just now."""
    random, now = Random(365), time.time()  # noqa: S311 (not a secret)
    networks = [address(number).rpartition(".")[0] for number in range(NETWORKS)]
    seen: dict[str, None] = {}

    def bans() -> Iterator[Batch]:
        for day in reversed(range(DAYS)):
            batch = []
            for _ in range(A_DAY):
                ip = f"{random.choice(networks)}.{random.randrange(256)}"
                seen[ip] = None
                at = now - day * _DAY - random.randrange(_DAY)
                begin, end, first = utc_text(at), utc_text(at + 600), utc_text(at + 30)
                jail = random.choice(["sshd", "postfix", "nginx"])
                batch.append(SeenBan("web1", jail, ip, begin, end, 1, 1, first, first))
            yield Batch(bans=batch)
        yield Batch.of([_answer(ip, networks.index(ip.rpartition(".")[0])) for ip in seen])

    store = SqliteStore(path, 10)
    store.replay(bans(), utc_text(now))
    store.close()


def _answer(ip: str, network: int) -> GeoRecord:
    code = _COUNTRIES[network % len(_COUNTRIES)]
    return GeoRecord(
        ip, "ok", code, f"The country of {code}", asn=64500 + network, org=f"Network {network}, Ltd.",
        network=f"{ip.rpartition('.')[0]}.0/24", source="mmdb:example-2026-06",
        resolved_at=utc_text(time.time()),
    )  # fmt: skip


if __name__ == "__main__":
    write_year(Path(sys.argv[1]))
