"""The text format of Prometheus, for node_exporter's textfile collector.

It is version 0.0.4 of https://prometheus.io/docs/instrumenting/exposition_formats/: one family a figure, with
HELP and TYPE. A family without samples is left out, so that an alert on its absence can be made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.model.records import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

GAUGE, COUNTER = "gauge", "counter"


class Family(NamedTuple):
    """A metric with its samples: labels, and a number. ``name`` goes without ``geocli_`` before it."""

    name: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], object]]
    type: str = GAUGE


def text_of(families: Iterable[Family]) -> str:
    """The text of all these metrics."""
    return "".join(map(_text, families))


def _text(family: Family) -> str:
    full = f"geocli_{family.name}"
    lines = [f"# HELP {full} {family.help}\n", f"# TYPE {full} {family.type}\n"]
    # The same labels twice would make the whole text invalid: two files may be copies of one.
    by_labels = {
        ",".join(f'{label}="{_escaped(content)}"' for label, content in labels.items()): value
        for labels, value in family.samples
    }
    for inside, value in by_labels.items():
        lines.append(f"{full}{{{inside}}} {value}\n" if inside else f"{full} {value}\n")
    return "".join(lines) if family.samples else ""


def _escaped(text: str) -> str:
    return clean_text(text).replace("\\", "\\\\").replace('"', '\\"')
