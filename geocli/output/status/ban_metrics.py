"""Bans as Prometheus reads them. The names are other than those of ``geocli stats``: both are scraped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.output.status.exposition import COUNTER, Family, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geocli.bans.figures import Begun, Held


def exposition(held: Held, begun: Begun | None, host: str, now: float) -> str:
    """The text of all metrics of one machine's bans. ``now`` is when the list was read."""
    here = {"host": host}
    bans = [
        ({"country": country, "asn": system, "jail": jail, **here}, count)
        for (country, system, jail), count in held.bans.items()
    ]
    holders = [({"asn": system, "org": org}, 1) for system, org in held.holders.items()]
    families = [
        Family("bans", "Bans that hold now; those beyond the largest sets of labels are other.", bans),
        Family("active_bans", "All bans that hold now.", [(here, sum(held.bans.values()))]),
        Family("banned_addresses", "Different addresses that are banned now.", [(here, held.addresses)]),
        Family("as_info", "Always 1; the name of who holds an AS.", holders),
        Family("bans_read_timestamp_seconds", "When the bans were read.", [(here, int(now))]),
    ]
    if begun is not None:
        families += [
            Family("recorded_bans", "Bans in the history.", _by_jail(begun.recorded, here)),
            Family(
                "new_bans_total",
                "Bans in the history that began today (UTC); each midnight it begins at 0 again.",
                _by_jail(begun.today, here),
                COUNTER,
            ),
        ]
    return text_of(families)


def _by_jail(counts: Mapping[str, int], here: Mapping[str, str]) -> Sequence[tuple[Mapping[str, str], int]]:
    return [({"jail": jail, **here}, count) for jail, count in counts.items()]
