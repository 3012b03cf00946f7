"""Everything that can go wrong, as types, and what each costs as an exit code.

One root, so that one place (``cli``) turns any of them into one line on stderr.
A message names the thing and the way out. Nothing here prints or exits.

    GeocliError
    ├── UsageError          2   the command line, an input file or the configuration
    │   └── InputError          ... and it is an input: what was to be made of it would be incomplete
    ├── UnanswerableError   3   a source could not be asked now
    ├── DamagedFileError    4   a file of geocli's cannot be trusted
    │   ├── CorruptFileError    ... and is of use to nobody: it can be set aside
    │   ├── BadRowsError        ... for some rows of it: what the others say goes with the error
    │   └── ClosedDirectoryError    ... since this user may not enter a directory: look-ups go on without it
    └── TryAgainError      75   a lock, a full disk: nothing is lost, later it works
        └── StoreAwayError      ... and it is the store's server: look-ups go on without it
"""

from __future__ import annotations

from enum import IntEnum
from errno import EDQUOT, EFBIG, EMFILE, ENFILE, ENOSPC
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class ExitCode(IntEnum):
    """The exit codes that users may rely on."""

    OK = 0
    FOUND_WANTING = 1
    USAGE = 2
    PARTIAL = 3
    DAMAGED = 4
    UNFORESEEN = 70
    TRY_AGAIN = 75
    INTERRUPTED = 130


NO_ROOM = frozenset({ENOSPC, EDQUOT, EFBIG})
"""``errno`` where a disk is full, or what a user or a file may have of it."""

NO_FILES = frozenset({EMFILE, ENFILE})
"""``errno`` where too many files are open."""


class GeocliError(Exception):
    """Root of all errors that geocli raises on purpose."""

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE


class UsageError(GeocliError):
    """The user asked for something that cannot be done as asked."""


class InputError(UsageError):
    """An input that cannot be read to its end, or of which nothing was understood."""


class UnanswerableError(GeocliError):
    """A source could not be asked; asking again later may work."""

    exit_code = ExitCode.PARTIAL


class DamagedFileError(GeocliError):
    """A database, journal or MMDB file is missing, damaged, newer than this geocli or not geocli's.

    ``path`` is the file, or the name of a store's server; ``reason`` is what is wrong with it, ``way_out``
    what to do.
    """

    exit_code = ExitCode.DAMAGED

    def __init__(self, path: Path | str, reason: str, way_out: str) -> None:
        super().__init__(f"{path}: {reason}; {way_out}")
        self.path = path


class CorruptFileError(DamagedFileError):
    """A DamagedFileError about a SQLite file that nobody can use: work goes on when it is set aside."""


class BadRowsError(DamagedFileError):
    """A store has rows about these targets that geocli did not write; ``rest`` is what the others say."""

    def __init__(self, path: Path | str, targets: Sequence[str], reason: str, rest: Any) -> None:
        which = f"{targets[0]} and {len(targets) - 1} others" if len(targets) > 1 else "".join(targets)
        super().__init__(
            path,
            f"holds a row that geocli did not write, about {which}: {reason}",
            "answered anew, and the next flush replaces it; or correct or delete it",
        )
        self.rest = rest


class ClosedDirectoryError(DamagedFileError):
    """The data directory, or one above it, is not for this user, who may not ``what``."""

    def __init__(self, path: Path, owner: str, what: str) -> None:
        super().__init__(
            path,
            f"you may not {what}: it belongs to {owner}; nothing is read there, and nothing is kept",
            "let its owner run geocli, or give another with --data-dir",
        )


class TryAgainError(GeocliError):
    """A lock is held or the disk is full. What was answered is printed, what was journalled is kept."""

    exit_code = ExitCode.TRY_AGAIN


class StoreAwayError(TryAgainError):
    """The store's server cannot be asked now: it is away, starting, full, too slow, or locked by others."""

    def __init__(self, server: str, reason: str, consequence: str = "nothing is lost, try again") -> None:
        super().__init__(f"{server}: {reason}; {consequence}")
        self._server = server
        self._reason = reason

    def without_it(self) -> StoreAwayError:
        """The same for work that goes on without the store."""
        return StoreAwayError(self._server, self._reason, "going on without it")


class Problems:
    """Errors that did not stop the work: each once, in the order in which they happened."""

    def __init__(self) -> None:
        self._errors: dict[str, GeocliError] = {}
        self._harmless: dict[str, GeocliError] = {}

    def note(self, error: GeocliError) -> None:
        """Keep an error for the end of the work, unless the same was noted before."""
        self._errors.setdefault(str(error), error)

    def mention(self, error: GeocliError) -> None:
        """The same for one that did no harm: people hear of it, and it costs no exit code."""
        self._harmless.setdefault(str(error), error)

    def __len__(self) -> int:
        return len(self._errors) + len(self._harmless)

    def __iter__(self) -> Iterator[GeocliError]:
        yield from self._harmless.values()
        yield from self._errors.values()

    @property
    def bad_inputs(self) -> int:
        """How many inputs were not read to their end, or not understood."""
        return sum(isinstance(error, InputError) for error in self._errors.values())

    def codes(self) -> set[ExitCode]:
        """The exit codes of those that did harm."""
        return {error.exit_code for error in self._errors.values()}


def worst_of(problems: Problems) -> ExitCode | None:
    """The exit code for these: what needs an admin before what needs patience before the rest.

    A source that could not be asked costs nothing by itself: another one may have had the answer.
    """
    codes = problems.codes()
    worst_first = (ExitCode.DAMAGED, ExitCode.TRY_AGAIN, ExitCode.USAGE)
    return next((code for code in worst_first if code in codes), None)
