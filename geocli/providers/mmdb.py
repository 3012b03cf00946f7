"""The local databases, asked together: those that the user named, or downloaded, or the embedded one.

What is known already needs their names alone. So what opens and reads them is imported when one is asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geocli.mmdb.downloads.installed import in_use
from geocli.mmdb.embedded import EMBEDDED
from geocli.model.errors import ClosedDirectoryError, DamagedFileError, UsageError
from geocli.model.records import MAX_SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from geocli.config.settings import Settings
    from geocli.mmdb.networks import Network, Wanted
    from geocli.mmdb.open_databases import OpenDatabases
    from geocli.mmdb.reader import Database
    from geocli.mmdb.trusted import TrustedFiles
    from geocli.model.record_batch import RecordBatch
    from geocli.model.records import Answer, GeoRecord
    from geocli.system.reporter import Reporter

_MOST_UPDATES = 5  # that may come between a look at what is there and opening it


def create(settings: Settings) -> MmdbProvider:
    """The provider for these settings. No file is opened yet."""
    return MmdbProvider(settings.mmdb, settings.data_dir / "mmdb")


class MmdbProvider:
    """Knows which files are asked, and opens them when they are (``OpenDatabases``).

    No files means those that were downloaded to ``directory``, and the embedded one for what they lack.
    """

    local = True
    batch_size = 1

    def __init__(self, files: Sequence[Path], directory: Path | None = None) -> None:
        self._files = files
        self._directory = directory
        try:
            self._chosen = in_use(directory, files)
        except ClosedDirectoryError:  # a look-up says so when it comes to keep its answers
            self._chosen = in_use(None)
        self._open: OpenDatabases | None = None

    @property
    def sources(self) -> frozenset[str]:
        """One source: all files together, each with its edition."""
        if self._open is not None:
            return frozenset({self._open.source})
        if self._files:  # whose names say nothing
            return frozenset({self._databases().source})
        return frozenset({_source_of([one.source or "" for one in self._chosen])})

    def resolve(self, targets: Sequence[str], reporter: Reporter) -> Iterator[list[GeoRecord]]:
        """All records in one part. Raises ``DamagedFileError``."""
        yield self.records(targets, reporter.clock())

    def records(self, targets: Sequence[str], resolved_at: str) -> list[GeoRecord]:
        """One record for each target, in order, ``ok`` or ``unknown``. Raises ``DamagedFileError``."""
        return self._databases().records(targets, resolved_at)

    def batch(self, targets: Sequence[str], resolved_at: str) -> RecordBatch:
        """The same by column, as quick as can be where there are many. Raises ``DamagedFileError``."""
        return self._databases().batch(targets, resolved_at)

    def networks(
        self, wanted: Wanted, versions: Sequence[int], tell: Callable[[int], None] = lambda _: None
    ) -> Iterator[Network]:
        """All networks whose answers have what is wanted, in order (``OpenDatabases``)."""
        yield from self._databases().networks(wanted, versions, tell)

    def find(self, addresses: Sequence[str]) -> Iterator[tuple[Answer, int]]:
        """Yield each address's answer and how long its prefix is (``OpenDatabases``)."""
        yield from self._databases().find(addresses)

    def _databases(self) -> OpenDatabases:
        tries = 0
        while self._open is None:
            try:
                self._open = self._opened()
            except DamagedFileError as error:
                tries += 1
                if self._files or Path(error.path).exists() or tries > _MOST_UPDATES:
                    raise
                # An update has just put a new edition in its place.
                self._chosen = in_use(self._directory)
        return self._open

    def _opened(self) -> OpenDatabases:
        from geocli.mmdb.open_databases import OpenDatabases
        from geocli.mmdb.reader import Database

        vetted = self._vetted()
        databases = [Database(one.path, vetted) for one in self._chosen]
        for database in databases if self._files else ():
            _check_fields(database)
        names = (
            [database.description.source.removeprefix("mmdb:") for database in databases]
            if self._files
            else [one.source or "" for one in self._chosen]
        )
        servers = [one.serves or () for one in self._chosen]
        system_from = next((index for index, serves in enumerate(servers) if "asn" in serves), 0)
        return OpenDatabases(databases, _source_of(names), system_from)

    def _vetted(self) -> TrustedFiles | None:
        """The list of files that are whole, which the embedded one need not be on."""
        if self._directory is None or all(one.path.parent == EMBEDDED for one in self._chosen):
            return None
        from geocli.mmdb.trusted import TrustedFiles

        return TrustedFiles(self._directory)


def _source_of(names: Sequence[str]) -> str:
    """What the records of these databases carry. Raises ``UsageError`` for too many."""
    source = f"mmdb:{'+'.join(names)}"
    if len(source) > MAX_SOURCE:
        raise UsageError(f"{len(names)} databases are too many to ask together")
    return source


def _check_fields(database: Database) -> None:
    """See that a file that the user named can answer something. Raises ``UsageError``."""
    from geocli.mmdb.decoder import BrokenError
    from geocli.mmdb.safe_reader import SafeReader
    from geocli.mmdb.verify import is_of_use

    described = database.description
    try:
        of_use = is_of_use(SafeReader(described.path))
    except (OSError, BrokenError):  # the look-up will say it, if it is about the addresses that are asked
        return
    if not of_use:
        raise UsageError(
            f"{described.path}: a {described.type} file has neither country, city nor AS: give another file"
        )
