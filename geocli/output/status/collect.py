"""What geocli knows about itself: journal, store and databases, for people and for monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.mmdb.catalog import age_days
from geocli.model.clocks import latest_believed
from geocli.model.records import utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.mmdb.reader import Database
    from geocli.storage.journal.journal import Journal
    from geocli.storage.store.base import Store

_DAY = 86400


class Stats(NamedTuple):
    """The figures of ``geocli stats``. Sizes are bytes, times are seconds or a record's time format.

    ``stored``, ``unknown`` and ``dirty`` are answers; ``bans`` are in the store, ``dirty_bans`` are waiting.
    ``future`` are answers and bans in the store of a time that cannot be right.
    """

    stored: int
    unknown: int
    dirty: int
    quarantined: int
    oldest_dirty_seconds: int | None
    last_flush: str | None
    journal_bytes: int
    store_bytes: int | None
    databases: list[dict[str, object]]
    mmdb_c_extension: bool
    bans: int
    dirty_bans: int
    future: int


def collect_stats(journal: Journal, store: Store, databases: Sequence[Database], now: float) -> Stats:
    """All figures at this moment (``now``: seconds since the epoch). Raises ``GeocliError``."""
    latest = latest_believed(utc_text(now))
    waiting, kept = journal.state(), store.state(latest)
    since = waiting.oldest
    if since is not None and utc_text(since) > latest:
        since = None
    return Stats(
        stored=kept.stored,
        unknown=kept.unknown,
        dirty=waiting.dirty,
        quarantined=waiting.quarantined,
        oldest_dirty_seconds=None if since is None else max(0, int(now - since)),
        last_flush=kept.last_flush,
        journal_bytes=waiting.size,
        store_bytes=kept.size,
        databases=[
            {
                "name": description.path.stem,
                "type": description.type,
                "edition": description.edition,
                "age_days": age_days(description, now),
            }
            for description in (database.description for database in databases)
        ],
        mmdb_c_extension=all(database.accelerated for database in databases),
        bans=kept.bans,
        dirty_bans=waiting.bans,
        future=kept.future,
    )


def find_stale(stats: Stats, max_dirty_age: float, max_db_age: float) -> list[str]:
    """What a monitor should hear about, one short sentence each (ages in seconds)."""
    findings = []
    if stats.oldest_dirty_seconds is not None and stats.oldest_dirty_seconds > max_dirty_age:
        findings.append(
            f"the oldest of {stats.dirty + stats.dirty_bans} unflushed answers and bans is "
            f"{stats.oldest_dirty_seconds} s old: "
            "does cron run geocli flush?"
        )
    elif stats.oldest_dirty_seconds is None and (count := stats.dirty + stats.dirty_bans):
        findings.append(f"{count} answers and bans wait since a time in the future: is a clock wrong?")
    if stats.future:
        findings.append(f"{stats.future} answers and bans are of the future: is a clock wrong?")
    if stats.quarantined:
        findings.append(f"{stats.quarantined} damaged journal segments are in quarantine")
    findings += [
        f"the database {database['name']} is {database['age_days']} days old"
        for database in stats.databases
        if isinstance(database["age_days"], int) and database["age_days"] * _DAY > max_db_age
    ]
    return findings
