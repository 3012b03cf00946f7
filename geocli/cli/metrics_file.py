"""Figures for Prometheus: to stdout, or in place of a file in node_exporter's directory."""

from pathlib import Path
from typing import Annotated

import typer

from geocli.cli.console import write_text

Metrics = Annotated[
    bool, typer.Option("--prometheus", help="The text format of Prometheus, for node_exporter.")
]
MetricsFile = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="With --prometheus: replace FILE, at once."),
]

_STDOUT = Path("-")
_FOR_ALL = 0o644  # node_exporter runs as another user


def write_metrics(text: str, output: Path | None) -> None:
    """Put a text there. Raises ``GeocliError`` where it cannot be; then the old file stays."""
    if output is None or output == _STDOUT:
        write_text(text)
    else:
        from geocli.system.files import write_file

        write_file(output, text.encode(), _FOR_ALL)
