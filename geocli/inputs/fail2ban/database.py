"""fail2ban's own database: who is banned now, by fail2ban 0.9 and later, running or not.

A reader can make fail2ban lose a ban: while one holds a read transaction, fail2ban's writes wait, and after
a few seconds they fail. So it is opened read-only, asked once, read to the end at once, and closed. It is
not copied and not called immutable, because then a write at that moment gives damaged rows.

Tables: ``bips`` has the last ban of each (address, jail), with ``bantime`` in seconds: -1 permanent, -2 not
known. fail2ban 0.9 and 0.10 have only ``bans``, a row for each ban, without ``bantime`` and ``bancount``.
"""

from __future__ import annotations

from contextlib import contextmanager
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.inputs.fail2ban.times import identifier_texts, moments_of
from geocli.model.ban_batch import BanBatch, BanColumns
from geocli.model.errors import GeocliError, InputError, TryAgainError
from geocli.model.records import clean_text
from geocli.model.time_column import NEVER
from geocli.system.row_file import RowFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from geocli.inputs.ban_reader import Reading, Tally
    from geocli.inputs.stream import Stream
    from geocli.model.bans import Ban

    _Tables = dict[str, set[str]]

_PATIENCE = 4
"""Seconds to wait for a lock of fail2ban's, which keeps one for milliseconds."""

_AT_ONCE = 4096  # rows

_LARGEST = 1 << 20
"""Bytes of a value that is read: an identifier, a jail's name. The matches of a ban are not read."""

_COLUMNS = ("jail", "ip", "timeofban", "bantime", "bancount")


class DatabaseQuestion(NamedTuple):
    """What is asked: who is banned at ``now`` (seconds since the epoch), or ``everything`` that is known.

    ``bantime`` is how many seconds a ban lasts where the database does not say.
    """

    now: float
    bantime: float | None = None
    everything: bool = False


class DatabaseAnswer(NamedTuple):
    """The bans in batches of columns, as they began one after the other, and what there is to say of them."""

    rows: RowFile
    remarks: list[str]

    def batches(self) -> Iterator[BanBatch]:
        """Yield the bans."""
        for columns in self.rows.batches():
            yield _bans(columns)

    @property
    def bans(self) -> list[Ban]:
        """All bans at once."""
        return [ban for batch in self.batches() for ban in batch]


def read_file(stream: Stream, reading: Reading, tally: Tally) -> Iterator[BanBatch]:
    """Return the bans of a database that came as an input: a file, a pipe, a compressed copy.

    Raises ``UsageError`` and ``TryAgainError``.
    """
    question = DatabaseQuestion(reading.now, reading.bantime, reading.everything)
    place = None if stream.is_compressed else _place_of(stream)
    if place is not None:
        answer = read_database(place, question)
    else:
        with _spooled(stream) as copy:
            answer = _read(copy, stream.name, question, "immutable=1")
    tally.answers += 1
    tally.remarks += answer.remarks
    yield from answer.batches()


def read_database(path: Path, question: DatabaseQuestion) -> DatabaseAnswer:
    """Return the bans that hold now, or all.

    A ban of a jail that the database calls disabled does not hold: fail2ban disables them all when it
    stops, and enables those of its configuration when it starts. Where no end is known, everybody whose ban
    was not lifted is banned. Raises ``UsageError`` and ``TryAgainError``.
    """
    return _read(path, str(path), question, "mode=ro")


def _place_of(stream: Stream) -> Path | None:
    """Where the file lies, so that it can be read as fail2ban may be writing it."""
    path = stream.path
    if path is None and (number := stream.descriptor) is not None:
        path = Path(f"/proc/self/fd/{number}")
    try:
        path = path.resolve(strict=True) if path is not None else None
    except OSError:
        return None
    return path if path is not None and path.is_file() else None


@contextmanager
def _spooled(stream: Stream) -> Iterator[Path]:
    """A copy of what cannot be read at any place, for as long as that takes."""
    from tempfile import NamedTemporaryFile

    try:
        with NamedTemporaryFile(prefix="geocli-", suffix=".sqlite3") as copy:
            for chunk in stream.content():
                copy.write(chunk)
            copy.flush()
            yield Path(copy.name)
    except OSError as error:
        raise TryAgainError(f"no room for a copy of {stream.name}: {error.strerror}") from error


def _read(path: Path, name: str, question: DatabaseQuestion, mode: str) -> DatabaseAnswer:
    import sqlite3

    from geocli.system.sqlite_errors import uri_of
    from geocli.system.sqlite_file import interruptible  # imports sqlite3
    from geocli.system.sqlite_guard import foreign_part, guard

    try:
        _check_readable(path)
        uri = uri_of(path, mode)
        connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
        try:
            # Whoever made it: a view in the place of a table may never end, an interrupt has to end it.
            interruptible(connection)
            guard(connection, _LARGEST)
            connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            if part := foreign_part(connection):
                raise InputError(f"{name} is not fail2ban's database: it holds {part}")
            tables = _tables(connection, name)
            connection.text_factory = bytes  # thousands are decoded at once
            rows, cursor = RowFile(), connection.execute(_statement(tables, question), question._asdict())
            while found := cursor.fetchmany(_AT_ONCE):
                # To the end at once, whatever becomes of them; column by column, as they are understood.
                rows.add([*zip(*found, strict=True)])
            remarks = _remarks(connection, tables, question, name, is_empty=not rows)
        finally:
            connection.close()
    except (OSError, sqlite3.Error) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from None
        raise _error_of(error, name) from error
    return DatabaseAnswer(rows, remarks)


def _check_readable(path: Path) -> None:
    # SQLite's one message for all of these is "unable to open database file".
    if not path.is_file():
        path.stat()
        raise InputError(f"{path} is not a file")
    with path.open("rb"):
        pass


def _tables(connection: sqlite3.Connection, name: str) -> _Tables:
    """What this database has: tables and columns came over the years."""
    tables = {
        table: {row[1] for row in connection.execute(f"PRAGMA table_info({table})").fetchall()}
        for table in ("bips", "bans", "jails")
    }
    if not {"jail", "ip"} <= tables[_table(tables)]:
        raise InputError(f"{name} is not fail2ban's database: it has no table of bans")
    return tables


def _table(tables: _Tables) -> str:
    return "bips" if tables["bips"] else "bans"


def _statement(tables: _Tables, question: DatabaseQuestion) -> str:
    """The one SELECT."""
    if question.everything:
        both = [name for name in ("bans", "bips") if {"jail", "ip"} <= tables[name]]
        selects = " UNION ALL ".join(f"SELECT {_columns(tables[name])} FROM {name}" for name in both)  # noqa: S608 - names from here
        # The last ban of each is in both tables, and its time may be of another type.
        return (
            f"SELECT jail, ip, timeofban, max(bantime), max(bancount) FROM ({selects})"  # noqa: S608 - the same
            " GROUP BY jail, ip, CAST(timeofban AS INTEGER) ORDER BY timeofban"
        )
    table = _table(tables)
    has = tables[table].__contains__
    conditions = [_holds(tables[table])]
    if table == "bans":
        conditions.append("rowid IN (SELECT max(rowid) FROM bans GROUP BY ip, jail)")
    if _knows_disabled(tables):
        conditions.append(
            "(jail IS NULL OR jail NOT IN (SELECT name FROM jails WHERE enabled = 0 AND name IS NOT NULL))"
        )
    return (
        f"SELECT {_columns(tables[table])} FROM {table}"  # noqa: S608 - names from here
        f" WHERE {' AND '.join(conditions)} ORDER BY {'timeofban, rowid' if has('timeofban') else 'rowid'}"
    )


def _columns(table: set[str]) -> str:
    told = {name: name if name in table else f"NULL AS {name}" for name in _COLUMNS}
    if "bantime" not in table:
        told["bantime"] = ":bantime AS bantime"
    return ", ".join(told.values())


def _holds(table: set[str]) -> str:
    if "timeofban" not in table:
        return "1"
    bantime = "bantime" if "bantime" in table else ":bantime"
    return f"({bantime} IS NULL OR {bantime} < 0 OR timeofban + {bantime} > :now)"


def _knows_disabled(tables: _Tables) -> bool:
    return {"name", "enabled"} <= tables["jails"]


def _remarks(
    connection: sqlite3.Connection, tables: _Tables, question: DatabaseQuestion, name: str, *, is_empty: bool
) -> list[str]:
    remarks = []
    table = _table(tables)
    if "bantime" not in tables[table] and question.bantime is None and not is_empty:
        remarks.append(
            f"{name} is of fail2ban 0.9 or 0.10, which does not say how long a ban lasts: whoever was not"
            " unbanned is banned (--bantime 10m says it)"
        )
    if is_empty and not question.everything and _knows_disabled(tables):
        (enabled,) = connection.execute("SELECT count(*) FROM jails WHERE enabled != 0").fetchone()
        waiting = (
            f"SELECT count(*) FROM (SELECT DISTINCT jail, ip FROM {table} WHERE {_holds(tables[table])})"  # noqa: S608 - names from here
        )
        (count,) = connection.execute(waiting, question._asdict()).fetchone()
        if count and not enabled:
            remarks.append(
                f"{name}: fail2ban was stopped, so nobody is banned; {count} bans come back when it starts"
                " (--all shows them)"
            )
    return remarks


def _bans(columns: Iterable[Sequence[Any]]) -> BanBatch:
    jails, ips, begins, seconds, counts = columns
    # SQLite keeps any type in any column.
    if {*map(type, begins), *map(type, seconds)} == {int}:
        ends: Sequence[Any] = list(map(add, begins, seconds))
        if min(seconds) < 0:
            ends = [end if second >= 0 else NEVER for end, second in zip(ends, seconds, strict=True)]
    else:
        ends = list(map(_end, begins, seconds))
    if not {*map(type, counts)} <= {int, type(None)}:
        counts = [count if isinstance(count, int) else None for count in counts]
    told = BanColumns(_texts(jails), moments_of(begins), moments_of(ends), counts)
    return BanBatch(_texts(ips), told)


def _end(begin: Any, seconds: Any) -> int | float | None:
    has_end = isinstance(seconds, int | float) and seconds >= 0 and isinstance(begin, int | float)
    return begin + seconds if has_end else None


def _texts(values: Sequence[Any]) -> list[str]:
    """Return identifiers, or jails, as a ``Ban`` has them."""
    if {*map(type, values)} == {bytes}:
        return identifier_texts(values, _text)
    return list(map(_text, values))


def _text(value: str | bytes | float | None) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    return clean_text("" if value is None else str(value))


def _error_of(error: Exception, path: str) -> GeocliError:
    import sqlite3

    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InputError(
            f"there is no {path}: fail2ban says where its database is (fail2ban-client get dbfile)"
        )
    if isinstance(error, PermissionError):
        return InputError(f"{path} may be read by root only: use sudo")
    if isinstance(error, OSError):
        return InputError(f"cannot read {path}: {error.strerror}")
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return TryAgainError(f"{path}: fail2ban has been writing for {_PATIENCE} seconds; try again")
    if primary in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return InputError(f"{path} is not fail2ban's database: it is not SQLite, or damaged")
    return InputError(f"cannot read {path} as fail2ban's database: {clean_text(str(error))}")
