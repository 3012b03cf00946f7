"""What ``--format`` takes: a script for a firewall, or rows. Commands have it whose rows are networks."""

from typing import Annotated

import typer

from geocli.cli.options import FormOptions
from geocli.model.errors import UsageError

_OF_ROWS = ("csv", "plain")
FORMATS = ("nft", "ipset", "iptables", "fail2ban", "nginx", *_OF_ROWS)
"""The rule formats, and two forms of rows."""

Format = Annotated[
    str | None,
    typer.Option("--format", metavar="|".join(FORMATS), help="A script for this program, or rows."),
]


def rule_format(name: str | None) -> str | None:
    """The rule format that is asked for, if one is."""
    return None if name in _OF_ROWS else name


def form_of(name: str | None, form: FormOptions) -> FormOptions:
    """The form of rows. Raises ``UsageError`` for an unknown format, and for two forms at once."""
    if name is None:
        return form
    if name not in FORMATS:
        raise UsageError(f"--format takes {', '.join(FORMATS)}, not {ascii(name)}")
    if form != FormOptions():
        raise UsageError("--format is a form by itself: leave the others out")
    if name == "csv":
        return FormOptions(forms=("csv",))
    return FormOptions(field=("network",)) if name == "plain" else form
