"""An argument of the command line that says what to look up: an address, a network, or text that has some."""

from __future__ import annotations

from pathlib import Path

from geocli.model.addresses import parse_target
from geocli.model.errors import UsageError
from geocli.model.records import clean_text


def read_argument(text: str) -> list[str]:
    """Return the targets that an argument names: itself, or those that stand in it as words.

    ``1.2.3.4:22``, ``http://1.2.3.4/x`` and ``1.2.3.0-1.2.3.9`` are read as in any text. Raises
    ``UsageError`` for what is no address, and for the name of a file, which is for ``--input``.
    """
    try:
        return [parse_target(text)]
    except ValueError as error:
        if _is_file(text):
            shown = clean_text(text)
            raise UsageError(f"{shown} is a file; to find the addresses in it: -i {shown}") from None
        from geocli.inputs.in_text import find_targets  # most arguments are addresses

        if found := find_targets(text.encode("utf-8", "surrogateescape")):
            return found
        raise UsageError(str(error)) from None


def _is_file(text: str) -> bool:
    try:
        return bool(text) and Path(text).is_file()
    except (OSError, ValueError):  # too long, or a zero byte in it
        return False
