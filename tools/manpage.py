"""The manual page, made from the commands themselves: ``python -m tools.manpage > geocli/data/geocli.1``.

For whoever changes an option; users get the page with the package. It is in the language of groff_man(7),
which mandoc reads too. The same commands give the same page, whatever the machine.
"""

from __future__ import annotations

import re
import sys
import textwrap
from typing import Any

from geocli import __version__
from geocli.cli.app import command_tree, help_records
from geocli.config.keys import KEYS, variable
from geocli.model.errors import ExitCode
from geocli.model.records import FIELDS

_EXIT_CODES = {
    ExitCode.OK: "Every address was answered, or there was nothing to do.",
    ExitCode.FOUND_WANTING: "With -e: an address has no country. stats --check: something is stale.",
    ExitCode.USAGE: "Usage: an option, an argument that is no address, an input that cannot be read, the"
    " configuration. Good arguments are answered all the same.",
    ExitCode.PARTIAL: "Some addresses could not be asked about now.",
    ExitCode.DAMAGED: "A file of geocli's is damaged, missing or not geocli's; the message names it.",
    ExitCode.UNFORESEEN: "Something that nobody foresaw: a bug. With -v the trace; nothing is lost.",
    ExitCode.TRY_AGAIN: "Try again later: something is locked, the disk is full. Nothing is lost.",
    ExitCode.INTERRUPTED: "Interrupted.",
}
_VARIABLES = {
    "GEOCLI_DATA_DIR": "The data directory; see --data-dir.",
    "GEOCLI_CONFIG": "The configuration file; see --config.",
    "NO_COLOR": "With any value: no colours, unless --color says otherwise.",
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY": "The proxies for online sources.",
}
_FILES = {
    "~/.local/share/geocli": "The data directory: journal/ holds the answers and bans that wait for a flush,"
    " geo.db is the store, mmdb/ holds databases.",
    "~/.config/geocli/config.toml": "The configuration file: a section and a key for each variable above.",
    "/etc/geocli/config.toml": "The machine's configuration: what the user's own does not say.",
}
_EXAMPLES = (
    ("One address, one field:", "geocli 8.8.8.8 -f country_code"),
    ("Who is banned, by country:", "fail2ban-client banned | geocli bans --by country"),
    ("Who is in a log, by AS:", "geocli summarize /var/log/auth.log --by asn"),
    ("A log with the answers in it:", "tail -F /var/log/auth.log | geocli annotate"),
    ("Write what was answered to the store every minute, by cron:", "geocli cron install"),
    ("Remember fail2ban's bans as well:", "geocli cron install --record"),
    ("Who was banned in the last month, week by week:", "geocli bans --history --since 30d --by week"),
)
_WIDTH = 78
"""Characters of a line of the page's source: what mandoc thinks proper."""


def page() -> str:
    """The whole page as text for ``man``."""
    root = command_tree()
    summary, _, rest = root.help.partition("\n")
    lines = [
        '.\\" Made by python -m tools.manpage out of the commands: change those.',
        f'.TH GEOCLI 1 "" "geocli {__version__}" "User Commands"',
        ".nh",  # a name that is broken at a hyphen cannot be searched for
        ".ad l",
        ".SH NAME",
        "geocli \\-",
        *_filled(summary[0].lower() + summary[1:].rstrip(".")),
        ".SH SYNOPSIS",
        *_synopsis("geocli", "[OPTIONS] [TARGET]..."),
        ".br",
        *_synopsis("geocli", "[OPTIONS] COMMAND [ARGS]..."),
        ".SH DESCRIPTION",
        *_paragraphs(rest),
        ".PP",
        *_filled(f"The fields of an answer: {', '.join(FIELDS)}."),
        ".SH OPTIONS",
        _escaped("These may stand anywhere in the line."),
        *_options(root),
        ".SH COMMANDS",
    ]
    for name, command in root.commands.items():
        lines += _command(f"geocli {name}", command)
    lines += [".SH EXIT STATUS", *_list({str(int(code)): text for code, text in _EXIT_CODES.items()})]
    settings = {variable(*key): _key_text(*key) for key in KEYS}
    lines += [".SH ENVIRONMENT", *_list(_VARIABLES | settings), ".SH FILES", *_list(_FILES), ".SH EXAMPLES"]
    for number, (text, example) in enumerate(_EXAMPLES):
        lines += [
            *([".PP"] if number else []),
            _escaped(text),
            ".PP",
            ".RS 4",
            ".EX",
            _escaped(example),
            ".EE",
            ".RE",
        ]
    lines += [".SH SEE ALSO", ".BR fail2ban\\-client (1),", ".BR crontab (5)"]
    return "\n".join(lines) + "\n"


def _command(path: str, command: Any) -> list[str]:
    children = getattr(command, "commands", None)
    if children is not None:
        return [line for name, child in children.items() for line in _command(f"{path} {name}", child)]
    arguments = [record[0] for record in help_records(command) if not record[0].startswith("-")]
    return [
        f".SS {_escaped(path)}",
        *_synopsis(path, " ".join(["[OPTIONS]", *arguments])),
        ".PP",
        *_paragraphs(command.help),
        *_options(command),
        *([".PP", *_paragraphs(command.epilog)] if command.epilog else []),
    ]


def _options(command: Any) -> list[str]:
    """The options and arguments, each with its text. Their names are bold, what they take is not."""
    lines = []
    for names, text in help_records(command):
        lines += [".TP", _bold_names(names), *_filled(text)]
    return lines


def _key_text(section: str, key: str) -> str:
    return f"{key} in section [{section}]."


def _synopsis(path: str, rest: str) -> list[str]:
    return [f".B {_escaped(path)}", _escaped(rest)]


def _paragraphs(text: str) -> list[str]:
    r"""A help text: paragraphs, and what is after a backspace (``\b``) line by line."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if lines:
            lines.append(".PP")
        if paragraph.startswith("\b"):
            kept = paragraph.removeprefix("\b").strip("\n").split("\n")
            lines += [".EX", *map(_escaped, kept), ".EE"]
        else:
            lines += _filled(paragraph)
    return lines


def _list(items: dict[str, str]) -> list[str]:
    lines = []
    for name, text in items.items():
        lines += [".TP", f".B {_escaped(name)}", *_filled(text)]
    return lines


def _bold_names(names: str) -> str:
    """``-f, --field NAME``: the options in bold."""
    parts = re.split(r"(?<![\w-])(--?[\w-]+)", names)
    shown = map(_escaped, filter(None, parts))
    return "".join(f"\\fB{part}\\fR" if part.startswith("\\-") else part for part in shown)


def _filled(text: str) -> list[str]:
    """Text that may be broken anywhere between its words."""
    # Words are escaped after they are put into lines, for what begins a line is special.
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [_escaped(line) for line in lines]


def _escaped(text: str) -> str:
    """Text that ``man`` shows as it is, hyphens to copy and all."""
    shown = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    shown = shown.replace("^", "\\(ha").replace("~", "\\(ti")
    shown = "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in shown)
    return f"\\&{shown}" if shown.startswith((".", "'")) else shown


if __name__ == "__main__":
    sys.stdout.write(page())
