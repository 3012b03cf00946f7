"""Which database files were found to be whole, so that the quick reader in C may have them.

Kept as one small JSON file in the data directory: for a path the inode, size and times of the file that was
checked. ``ctime`` is set by the system alone: a file that was changed since, and made to look as before, is
another. A list that is damaged is an empty one: then files are read carefully, which is slower.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from geocli.model.errors import GeocliError
from geocli.system.files import fingerprint, make_private_directory, replacing
from geocli.system.ownership import check_trusted, os_errors

if TYPE_CHECKING:
    from pathlib import Path

    from geocli.system.files import Fingerprint

_NAME = "verified.json"
_LARGEST = 256 << 10  # bytes
_MOST = 500  # files


class TrustedFiles:
    """The list of one ``mmdb`` directory, read when it is asked for."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / _NAME
        self._known: dict[str, Fingerprint] | None = None

    def knows(self, path: Path, status: os.stat_result) -> bool:
        """Whether this very file was checked, and nobody but its owner can have touched it."""
        if self._known is None:
            self._known = self._read()
        if self._known.get(os.path.abspath(path)) != fingerprint(status):  # noqa: PTH100 (a link stays a link)
            return False
        try:
            check_trusted([path])
        except GeocliError:
            return False
        return True

    def remember(self, path: Path, status: os.stat_result) -> None:
        """Put a file that was checked on the list. Raises ``GeocliError`` where that cannot be."""
        import json  # some milliseconds, which most look-ups need not spend

        directory = self._path.parent
        check_trusted([directory.parent, directory, self._path])
        known = self._read()
        name = os.path.abspath(path)  # noqa: PTH100 (the same)
        if known.get(name) == fingerprint(status):
            return
        known.pop(name, None)
        known = dict([*known.items(), (name, fingerprint(status))][-_MOST:])
        make_private_directory(directory)
        # An update may take what is unfinished for what one that was killed has left: then it is not found.
        with (
            os_errors(self._path),
            suppress(FileNotFoundError),
            replacing(self._path, durable=False) as file,
        ):
            file.write(json.dumps(known).encode())
        self._known = known

    def _read(self) -> dict[str, Fingerprint]:
        """The list; empty where there is none that can be trusted."""
        import json  # the same

        try:
            check_trusted([self._path.parent, self._path])
            with self._path.open("rb") as file:
                found = json.loads(file.read(_LARGEST))
        except (OSError, GeocliError, ValueError, RecursionError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {
            path: numbers
            for path, numbers in found.items()
            if isinstance(numbers, list)
            and len(numbers) == 4
            and all(type(number) is int for number in numbers)
        }
