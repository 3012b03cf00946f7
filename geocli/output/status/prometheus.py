"""The figures of ``geocli stats`` as Prometheus reads them. What is not known is left out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from geocli.output.status.exposition import Family, text_of

if TYPE_CHECKING:
    from geocli.output.status.collect import Stats


class _Metric(NamedTuple):
    figure: str
    name: str
    help: str


_METRICS = (
    _Metric("stored", "store_answers", "Addresses in the store."),
    _Metric("unknown", "store_unknown_answers", "Those of them that no source knows."),
    _Metric("bans", "store_bans", "Bans in the store."),
    _Metric("future", "store_future_rows", "Answers and bans in the store whose time is in the future."),
    _Metric("store_bytes", "store_bytes", "Size of the store."),
    _Metric("dirty", "journal_answers", "Answers that wait for a flush."),
    _Metric("dirty_bans", "journal_bans", "Bans that wait for a flush."),
    _Metric("oldest_dirty_seconds", "journal_oldest_seconds", "Age of the oldest that waits; 0 for none."),
    _Metric("journal_bytes", "journal_bytes", "Size of the journal."),
    _Metric("quarantined", "quarantine_files", "Damaged segments and files that were set aside."),
    _Metric("last_flush", "last_flush_timestamp_seconds", "When the last flush was that wrote something."),
    _Metric("mmdb_c_extension", "mmdb_c_extension", "1 when databases are read by compiled code, else 0."),
)
FIGURES = frozenset(metric.figure for metric in _METRICS) | {"databases"}
"""The figures that become metrics: all there are."""


def exposition(stats: Stats, version: str) -> str:
    """The text of all metrics, each with HELP and TYPE, all of them gauges."""
    figures = stats._asdict()
    families = [Family("info", "Always 1; the version of geocli.", [({"version": version}, 1)])]
    for figure, name, text in _METRICS:
        value = _number(figure, figures[figure])
        families.append(Family(name, text, [] if value is None else [({}, value)]))
    ages = [
        ({key: str(database[key]) for key in ("name", "type", "edition")}, database["age_days"])
        for database in stats.databases
    ]
    families.append(Family("database_age_days", "Days since the edition of a database in use.", ages))
    return text_of(families)


def _number(figure: str, value: object) -> object:
    if figure == "oldest_dirty_seconds":
        return value or 0
    if figure == "last_flush" and isinstance(value, str):
        return int(datetime.fromisoformat(value).timestamp())
    return int(value) if isinstance(value, bool) else value
