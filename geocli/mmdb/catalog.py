"""The databases that geocli has: which are asked, and for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.mmdb.decoder import BrokenError
from geocli.mmdb.downloads.install import read_licence
from geocli.mmdb.downloads.installed import in_use, installed, reasons
from geocli.mmdb.embedded import embedded_path
from geocli.mmdb.reader import Database
from geocli.mmdb.safe_reader import SafeReader
from geocli.mmdb.trusted import TrustedFiles
from geocli.mmdb.verify import gives
from geocli.model.errors import DamagedFileError, GeocliError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from geocli.mmdb.reader import Description
    from geocli.model.errors import Problems

_DAY = 86400  # seconds


def open_databases(directory: Path, files: Sequence[Path] = ()) -> list[Database]:
    """The databases in use: the files, or those that were downloaded to ``directory`` and the embedded one.

    Raises ``DamagedFileError``.
    """
    vetted = TrustedFiles(directory)
    return [Database(one.path, vetted) for one in in_use(directory, files)]


class ListedDatabase(NamedTuple):
    """A database as ``geocli db list`` shows it.

    ``used_for`` says which of ``KINDS`` it is asked for, ``why`` why it is or is not.
    """

    name: str
    description: Description
    used_for: str | None
    why: str
    licence: str | None


def list_databases(directory: Path, files: Sequence[Path], problems: Problems) -> Iterator[ListedDatabase]:
    """The databases that are asked, in their order, then those that are there and are not.

    ``files`` take the place of all others. One that cannot be opened is a problem, and the others are listed.
    """
    used = {one.path: one for one in in_use(directory, files)}
    names = {one.path: one.name for one in installed(directory)}
    why = {} if files else reasons(directory)
    for path in dict.fromkeys([*used, *(() if files else [*names, embedded_path()])]):
        try:
            description = Database(path).description
            serves = used[path].serves if path in used else ()
            if serves is None:
                serves = gives(SafeReader(path))
        except (GeocliError, BrokenError) as error:
            problems.note(
                error
                if isinstance(error, GeocliError)
                else DamagedFileError(path, str(error), "get it again")
            )
            continue
        licence = description.licence
        if path in names:
            licence = read_licence(path, names[path]) or licence
        yield ListedDatabase(
            names.get(path, path.stem),
            description,
            ",".join(serves) or None,
            why.get(path, "named by the user"),
            licence,
        )


def age_days(description: Description, now: float) -> int:
    """Whole days since the edition's first second."""
    return age_in_days(description.built, now)


def age_in_days(built: int, now: float) -> int:
    """Whole days from one moment to another, both in seconds since the epoch."""
    return int((now - built) // _DAY)
