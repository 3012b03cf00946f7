"""The output options that all commands with rows have. Help texts stand here once."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", "-j", help="JSON Lines: one object per line.")]
Csv = Annotated[bool, typer.Option("--csv", "-c", help="CSV (RFC 4180) with a header.")]
Tsv = Annotated[bool, typer.Option("--tsv", help="All fields, tab-separated, with a header.")]
TableFlag = Annotated[bool, typer.Option("--table", help="The table, also when piped.")]
NoHeader = Annotated[
    bool, typer.Option("--no-header", help="Leave the header of --csv, --tsv or --table out.")
]
Field = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        "-f",
        metavar="NAME[,NAME...]",
        help="Only these fields; bare values unless a form is given.",
    ),
]
Template = Annotated[
    str | None,
    typer.Option("--template", "-t", metavar="TEXT", help="One line per row, such as '{ip} {country_code}'."),
]
