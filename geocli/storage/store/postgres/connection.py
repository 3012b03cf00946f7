"""A connection to a PostgreSQL server that waits no longer than it is told. The only importer of psycopg.

libpq resolves names, connects and waits for answers as long as it takes, or for two seconds at least. A
look-up has 300 milliseconds for all of that. So a thread connects, whose result comes in time or is thrown
away, and ``Connection.wait`` gives up by itself, whatever the server, the network or a proxy between does.

Nothing of psycopg's leaves this module: its errors leave it as geocli's.
"""

from __future__ import annotations

import logging
import re
import resource
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg

from geocli.config.store_url import has_password
from geocli.model.errors import DamagedFileError, GeocliError, StoreAwayError, UsageError
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg.abc import RV, PQGen

_TICK = 0.02  # seconds between two looks at the clock
_MOST_SENT = 64 << 20  # bytes of an answer that memory may grow by: a batch of 10,000 rows has three or four
_MOST_NOTICED = 1 << 20  # characters of warnings and remarks, which are kept by nobody
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes
_MOST_WAITS = 10  # of something that is over
_LONGEST_REASON = 300
_LATE = "it does not answer in time"

# Without a handler of its own, Python prints what psycopg warns of, such as an error that followed another.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

_DEFAULTS = {
    "fallback_application_name": "geocli",
    "client_encoding": "UTF8",
    "connect_timeout": "5",  # seconds for each of several hosts, so that the second has its turn
    # A server that vanished without a word is noticed within a minute, not after two hours.
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds
}
"""What libpq is told where the URL does not say otherwise."""

_ENCODING = "UTF8"  # SQL_ASCII takes any bytes, and gives them back to everybody

# https://www.postgresql.org/docs/15/errcodes-appendix.html
_AWAY_CLASSES = {
    "08",  # the connection
    "40",  # the transaction collided with others
    "53",  # out of disk, memory, connections
    "57",  # an administrator, a restart, a timeout
    "58",  # the server's system
}
_WRONG_CLASSES = {"28", "3D"}  # who it is, and which database: for whoever wrote the URL to correct
_AWAY = {
    "25006",  # a read-only server: a standby that is not the primary yet
    "25P03",  # idle in a transaction for too long
    "55P03",  # a lock was not available in time
    "XX000",  # Citus: one of its workers died; a damaged table has XX001 or XX002
}
_COLLISIONS = {"40001", "40P01"}  # serialization failure, deadlock
# Two processes that make the same table at once collide in the catalogue, "if not exists" or not.
_MADE_MEANWHILE = {"23505", "42701", "42710", "42P06", "42P07", "XX000", *_COLLISIONS}
_NOT_HERE = "operation is not allowed on this node"  # a worker of Citus, which gives no code of its own
_NOT_THERE = {"42P01", "3F000"}  # undefined table, invalid schema
_NO_COLUMN = "42703"
_FORBIDDEN = "42501"

# Why a server let nobody in, it says in words only: libpq keeps the code to itself. PgBouncer and CockroachDB
# use the same words. What may be otherwise in a minute comes first.
_FOR_NOW = re.compile(
    r"starting up|shutting down|recovery mode|terminating|too many|connection slots|try again|(?<!_)timeout"
    r"|timed out|refused|unreachable|no route|reset by peer|closed the connection|could not translate",
    re.I,
)
_FOR_EVER = re.compile(
    r"authentication failed|pg_hba\.conf|not permitted to log in|no password supplied"
    r'|no such (?:user|database)|(?:role|database) ".{1,100}" does not exist|not currently accepting'
    r"|permission denied for database|does not support SSL|certificate|authentication method"
    r"|channel binding|unrecognized configuration parameter|invalid value for parameter"
    # What libpq says of a URL's port and parameters, before it asks anybody.
    r"|invalid (?:port number|integer value|\w{1,40} value)\b|could not match \d{1,5} (?:port|host)"
    r'|definition of service ".{1,100}" not found',
    re.I,
)
_LONGEST_WORDS = 2000  # characters that are looked at


class CollisionError(Exception):
    """Two transactions were in each other's way, and the server ended this one: it can be tried again."""


class NotThereError(Exception):
    """A table does not exist."""


class NoColumnError(NotThereError):
    """A column is not there: an older geocli made the table, or somebody else."""


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection with an end to its patience, and to the room that an answer may take.

    ``deadline`` (of ``time.monotonic``) is when an answer must be there; where there is none, ``longest`` is
    how many seconds each step may take. Whether something comes all the time makes no difference: a server
    that never stops sending is as good as one that says nothing.
    """

    deadline: float | None = None
    longest: float = 60.0
    noticed = 0

    def wait(self, gen: PQGen[RV], *arguments: Any, **options: Any) -> RV:
        """Consume a generator of psycopg's, as long as there is patience."""
        return super().wait(self._patient(gen), _TICK, *arguments[1:], **options)

    def _patient(self, gen: PQGen[RV]) -> PQGen[RV]:
        deadline = time.monotonic() + self.longest if self.deadline is None else self.deadline
        most = _memory() + _MOST_SENT
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                self._expect_measure(deadline, most)
                wanted = gen.send(ready)
        except StopIteration as end:
            value: RV = end.value
            return value
        except BaseException:
            _end(gen)
            raise

    def _expect_measure(self, deadline: float, most: int) -> None:
        if time.monotonic() > deadline:
            raise psycopg.OperationalError(_LATE)
        if _memory() > most or self.noticed > _MOST_NOTICED:
            raise psycopg.OperationalError("it sends far more than it was asked for")


def _end(gen: PQGen[Any]) -> None:
    """Have a generator of psycopg's end, which may want to wait again for that.

    One that is only let go of would want it too, and Python would print a trace of its own about that.
    """
    with suppress(psycopg.Error, StopIteration):
        for _ in range(_MOST_WAITS):
            gen.throw(psycopg.OperationalError(_LATE))


def _count_notices(connection: Connection) -> None:
    def count(notice: psycopg.errors.Diagnostic) -> None:
        connection.noticed += len(notice.message_primary or "") + 1

    connection.add_notice_handler(count)


def _memory() -> int:
    """Bytes that this process has had at most. What libpq receives it keeps, and does not count."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT


class _Attempt(threading.Thread):
    """Connects. What comes too late is closed."""

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        super().__init__(daemon=True)  # the process may end while it is stuck
        self._url = url
        self._options = options
        self._lock = threading.Lock()
        self._is_late = False
        self._connection: Connection | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            # Transactions are begun and ended by statements, which travel in one pipeline with the others.
            connection = Connection.connect(
                self._url, autocommit=True, prepare_threshold=None, **self._options
            )
        except Exception as error:  # noqa: BLE001 (whoever waits raises it)
            self._error = error
            return
        with self._lock:
            if self._is_late:
                connection.close()
            else:
                self._connection = connection

    def result(self, seconds: float) -> Connection:
        """The connection. Raises ``psycopg.Error``."""
        self.join(seconds)
        with self._lock:
            if self._connection is not None:
                return self._connection
            self._is_late = True
        raise self._error or psycopg.OperationalError(_LATE)


def connect(url: str, name: str, seconds: float) -> Connection:
    """Connect to the server of a ``postgresql://`` URL within so many seconds. Raises ``GeocliError``.

    ``name`` is the URL as it may be shown. libpq reads its environment and files (``PGPASSFILE``,
    ``PGSSLMODE``, ``PGSERVICE``) for what the URL leaves open.
    """
    try:
        given = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        # libpq quotes the part that it does not understand, which may be the password.
        reason = "" if has_password(url) else f" ({_reason(error)})"
        raise UsageError(f"{name}: is no URL that PostgreSQL's library can use{reason}") from None
    options = {key: value for key, value in _DEFAULTS.items() if key not in given}
    attempt = _Attempt(url, options)
    attempt.start()
    try:
        connection = attempt.result(seconds)
    except psycopg.Error as error:
        if isinstance(error, psycopg.OperationalError) and error.pgconn and error.pgconn.needs_password:
            reason = "the server asks for a password"
            raise UsageError(f"{name}: {reason}: put it into ~/.pgpass or PGPASSFILE's file") from None
        if _is_for_ever(error):
            reason = f"{_reason(error)}: correct the URL of the store, or ~/.pgpass, or the server"
            raise UsageError(f"{name}: {reason}") from None
        raise error_of(error, name) from error
    _count_notices(connection)
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != _ENCODING:
        connection.close()
        shown = ascii(encoding)[:80]
        raise UsageError(f"{name}: is a database in {shown}; geocli needs one in {_ENCODING}")
    if connection.info.parameter_status("crdb_version"):
        with translated(name):  # CockroachDB has temporary tables, but not for everybody yet
            connection.execute("SET experimental_enable_temp_tables = 'on'")
    return connection


def _is_for_ever(error: psycopg.Error) -> bool:
    """Whether a server that let nobody in will do so until somebody corrects something."""
    text = str(error)[:_LONGEST_WORDS]
    if _FOR_NOW.search(text):
        return False
    # In another language it is the password, if one was sent: what has nothing to do with it is said before.
    return bool(_FOR_EVER.search(text) or (error.pgconn and error.pgconn.used_password))


def error_of(error: psycopg.Error, name: str) -> GeocliError:
    """An error of psycopg's about the server ``name`` as one of geocli's."""
    state, reason = error.sqlstate or "", _reason(error)
    if state[:2] in _WRONG_CLASSES:
        return UsageError(f"{name}: {reason}: correct the URL of the store, or the server")
    if _NOT_HERE in reason:
        return not_here(name, reason)
    if not state or state[:2] in _AWAY_CLASSES or state in _AWAY:
        return StoreAwayError(name, reason)
    if state == _FORBIDDEN:
        return UsageError(f"{name}: {reason}: docs/postgresql.md has the privileges that geocli needs")
    way_out = "give geocli a database of its own"
    return DamagedFileError(name, f"is not as geocli made it ({reason})", way_out)


def not_here(name: str, reason: str) -> UsageError:
    """The error for a node of a cluster that lets nobody make tables."""
    return UsageError(f"{name}: this node takes no writes ({reason}): give the URL of the coordinator")


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Let psycopg's errors out as geocli's, naming the server.

    For the caller: ``CollisionError``, ``NotThereError`` and its kind ``NoColumnError``.
    """
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate in _COLLISIONS:
            raise CollisionError(_reason(error)) from error
        if error.sqlstate in _NOT_THERE:
            raise NotThereError(_reason(error)) from error
        if error.sqlstate == _NO_COLUMN:
            raise NoColumnError(_reason(error)) from error
        raise error_of(error, name) from error


@contextmanager
def made_once(name: str) -> Iterator[None]:
    """The same where tables are made: that somebody else made one in this moment is a ``CollisionError``."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate in _MADE_MEANWHILE and _NOT_HERE not in _reason(error):
            raise CollisionError(_reason(error)) from error
        raise error_of(error, name) from error


def _reason(error: psycopg.Error) -> str:
    """What the server or libpq says, in one line. Never trusted: it comes from the network."""
    while "pipeline mode" in str(error) and isinstance(error.__context__, psycopg.Error):
        error = error.__context__  # why it was not ended as it should: "while busy" helps nobody
    text = error.diag.message_primary or str(error).partition("\n")[0].removeprefix("connection failed: ")
    return clean_text(text.strip() or type(error).__name__, _LONGEST_REASON)
