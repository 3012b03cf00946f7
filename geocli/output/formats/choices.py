"""The formats: one table. An option's name, its help, completion, the manual and the tests come from here.

A format costs one file, which has ``create`` (see ``base``), and a line here.
"""

from __future__ import annotations

from geocli.model.value import Value


class FormatChoice(Value):
    """A format: what its option is called, the module that has it, what its help says.

    ``metavar``: the option takes a value, a text that only this format knows what to do with.
    ``has_header``: whether ``--no-header`` is about it.
    """

    name: str
    module: str
    help: str
    short: str | None = None
    metavar: str | None = None
    has_header: bool = False


_HERE = "geocli.output.formats."

FORMATS: tuple[FormatChoice, ...] = (
    FormatChoice("json", _HERE + "json", "JSON Lines: one object per line.", "-j"),
    FormatChoice("csv", _HERE + "csv", "CSV (RFC 4180) with a header.", "-c", has_header=True),
    FormatChoice("tsv", _HERE + "tsv", "All fields, tab-separated, with a header.", has_header=True),
    FormatChoice("table", _HERE + "table", "The table, also when piped."),
    FormatChoice(
        "template",
        _HERE + "template",
        "One line per row, such as '{ip} {country_code}'.",
        "-t",
        metavar="TEXT",
    ),
)
