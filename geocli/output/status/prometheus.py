"""The figures of ``geocli stats`` as Prometheus reads them, for node_exporter's textfile collector.

The text format 0.0.4 of https://prometheus.io/docs/instrumenting/exposition_formats/: one family a figure,
with HELP and TYPE. What is not known is left out, so that an alert on its absence can be made.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from geocli.model.records import clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    parts = [_family("info", "Always 1; the version of geocli.", [({"version": version}, 1)])]
    for figure, name, text in _METRICS:
        value = _number(figure, figures[figure])
        parts.append(_family(name, text, [] if value is None else [({}, value)]))
    ages = [
        ({key: str(database[key]) for key in ("name", "type", "edition")}, database["age_days"])
        for database in stats.databases
    ]
    parts.append(_family("database_age_days", "Days since the edition of a database in use.", ages))
    return "".join(parts)


def _number(figure: str, value: object) -> object:
    if figure == "oldest_dirty_seconds":
        return value or 0
    if figure == "last_flush" and isinstance(value, str):
        return int(datetime.fromisoformat(value).timestamp())
    return int(value) if isinstance(value, bool) else value


def _family(name: str, text: str, samples: Sequence[tuple[Mapping[str, str], object]]) -> str:
    full = f"geocli_{name}"
    lines = [f"# HELP {full} {text}\n", f"# TYPE {full} gauge\n"]
    # The same labels twice would make the whole text invalid: two files may be copies of one.
    by_labels = {
        ",".join(f'{label}="{_escaped(content)}"' for label, content in labels.items()): value
        for labels, value in samples
    }
    for inside, value in by_labels.items():
        lines.append(f"{full}{{{inside}}} {value}\n" if inside else f"{full} {value}\n")
    return "".join(lines) if samples else ""


def _escaped(text: str) -> str:
    return clean_text(text).replace("\\", "\\\\").replace('"', '\\"')
