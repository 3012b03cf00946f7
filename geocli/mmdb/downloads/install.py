"""Puts a downloaded database in its place, and keeps beside it its licence and where it came from.

The file appears under its name complete, and on disk. What is beside it is for people and for the next
update; when that is lost or damaged, the next update fetches a file once more.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.mmdb.downloads.installed import file_name, names_in
from geocli.mmdb.trusted import TrustedFiles
from geocli.model.records import clean_text
from geocli.system.files import UNFINISHED, lock_file, make_private_directory, replacing, sync_directory
from geocli.system.ownership import check_trusted, file_mode, os_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LARGEST_STATE = 16 << 10  # bytes
_LARGEST_LICENCE = 64 << 10  # bytes


class Download(NamedTuple):
    """What is remembered of a download: its URL (no key in it), and what its server calls what was there.

    ``md5`` is what the publisher said, ``given`` the URL that a user gave.
    """

    url: str = ""
    etag: str | None = None
    last_modified: str | None = None
    md5: str | None = None
    given: str | None = None


@contextmanager
def alone(directory: Path, patience: float) -> Iterator[None]:
    """Be the only one to change what is in ``directory``; what others that were killed have left is removed.

    Waits ``patience`` seconds for others. Raises ``GeocliError``.
    """
    make_private_directory(directory)
    check_trusted((directory.parent, directory))
    with lock_file(directory / ".lock", patience, "another update is running; try again"):
        with os_errors(directory):
            for left in directory.glob(f".*{UNFINISHED}"):
                left.unlink(missing_ok=True)
        yield


def part(directory: Path, name: str, kind: str) -> Path:
    """A file for work under way."""
    return directory / f".{name}.{kind}{UNFINISHED}"


def place(new: Path, name: str, edition: str, gives: Sequence[str], licence: str, download: Download) -> Path:
    """Make ``new``, which was checked, the database of that name, and remove older editions of it.

    Raises ``OSError`` or ``GeocliError``.
    """
    directory = new.parent
    final = directory / file_name(name, edition, gives)
    _write(directory / f"{name}.licence.txt", licence)
    with new.open("rb") as file:
        os.fchmod(file.fileno(), file_mode(directory))
        os.fsync(file.fileno())
    new.rename(final)
    sync_directory(directory)  # before anything older goes
    TrustedFiles(directory).remember(final, final.stat())
    _write(directory / f"{name}.json", json.dumps(download._asdict()) + "\n")
    for older in names_in(directory, name):
        if older != final.name:
            (directory / older).unlink(missing_ok=True)
    return final


def read_download(directory: Path, name: str) -> Download:
    """What is remembered of a download; nothing where that is of no use."""
    try:
        with (directory / f"{name}.json").open("rb") as file:
            found = json.loads(file.read(_LARGEST_STATE))
    except (OSError, ValueError, RecursionError):
        return Download()
    return Download._make(map(_text, map(found.get, Download._fields))) if _is_right(found) else Download()


def read_licence(path: Path, name: str) -> str | None:
    """The licence beside a database, as one line."""
    try:
        with path.with_name(f"{name}.licence.txt").open("rb") as file:
            return clean_text(file.read(_LARGEST_LICENCE).decode("utf-8", "replace").strip(), 1000)
    except OSError:
        return None


def _is_right(found: Any) -> bool:
    return isinstance(found, dict) and isinstance(found.get("url"), str)


def _text(value: object) -> Any:
    """Text that can be a header, or nothing."""
    return value if isinstance(value, str) and value.isascii() and value.isprintable() else None


def _write(path: Path, text: str) -> None:
    with replacing(path, durable=False) as file:
        file.write(text.encode())
