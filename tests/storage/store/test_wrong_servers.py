"""Servers that flood, drip, let nobody in, or are not what geocli needs: bounded, and told in words."""

from __future__ import annotations

import gc
import logging
import os
import re
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import psycopg
import pytest

from geocli.model.bans import BanQuery
from geocli.model.errors import DamagedFileError, GeocliError, StoreAwayError, UsageError
from geocli.model.group_by import GROUPS, parse_by
from geocli.storage.store.postgres import bans as postgres_bans
from geocli.storage.store.postgres import schema, writer
from geocli.storage.store.postgres import store as postgres_store
from geocli.storage.store.postgres.connection import _is_for_ever, connect, error_of, made_once
from geocli.storage.store.postgres.store import PostgresStore
from tests.conftest import within
from tests.storage.store.samples import NOW, answers, record
from tests.storage.store.test_postgres import answered_within, store, url
from tests.support.postgres_server import Postgres

__all__ = ["store", "url"]


def message(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!I", len(content) + 4) + content


NOTICE = message(b"N", b"SNOTICE\0C00000\0M" + b"x" * 60_000 + b"\0\0")
ROWS = message(b"1", b"") + message(b"2", b"") + message(b"T", struct.pack("!H", 1) + b"value\0" + bytes(18))
ROW = message(b"D", struct.pack("!HI", 1, 60_000) + b"x" * 60_000)
PARAMETER = b"".join(message(b"S", f"name{n}\0".encode() + b"x" * 900 + b"\0") for n in range(60))


@contextmanager
def flooding_server(first: bytes, flood: bytes, *, drip: float = 0) -> Iterator[str]:
    """A server that lets everybody in, and then sends without an end; its URL."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                threading.Thread(target=answer, args=(client,), daemon=True).start()

    def answer(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.recv(10_000)
            client.sendall(message(b"R", bytes(4)))
            for name in (b"server_encoding", b"client_encoding"):
                client.sendall(message(b"S", name + b"\0UTF8\0"))
            client.sendall(message(b"K", bytes(8)) + message(b"Z", b"I"))
            client.recv(10_000)
            client.sendall(first)
            while True:
                client.sendall(flood)
                time.sleep(drip)

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield f"postgresql://geocli@127.0.0.1:{server.getsockname()[1]}/geocli?sslmode=disable"


@pytest.mark.parametrize(
    ("first", "flood", "drip"),
    [(b"", NOTICE, 0), (ROWS, ROW, 0), (b"", PARAMETER, 0), (ROWS, ROW[:1], 0.01)],
    ids=["notices", "rows", "parameters", "a byte now and then"],
)
def test_a_server_that_floods_or_drips_is_cut_off(first: bytes, flood: bytes, drip: float) -> None:
    with flooding_server(first, flood, drip=drip) as url:
        store = PostgresStore(url, 0.5, 1)
        answered_within(0.5, lambda: store.find(["192.0.2.1"]))
        with pytest.raises(StoreAwayError, match=r"in time|far more than"):
            store.state()


def test_a_flood_has_an_end_in_memory_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much time it has."""
    monkeypatch.setattr("geocli.storage.store.postgres.connection._MOST_SENT", 4 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with flooding_server(ROWS, ROW) as url, pytest.raises(StoreAwayError, match="far more than"):
        PostgresStore(url, 60, 60).state()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_a_flush_is_cut_off_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def flush(url: str) -> None:
        with pytest.raises(StoreAwayError, match=r"in time|far more than"):
            PostgresStore(url, 1, 1).replay(answers([record("192.0.2.1")]), NOW)

    with flooding_server(b"", NOTICE) as url, within(30):
        flush(url)  # whatever time it has
    monkeypatch.setattr("geocli.storage.store.postgres.connection.Connection.longest", 0.5)
    with flooding_server(b"", PARAMETER) as url:
        flush(url)


def test_a_server_that_falls_silent_in_a_pipeline_is_given_up_without_a_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask(url: str) -> None:
        connection = connect(url, "a server", 5)
        connection.deadline = time.monotonic() + 0.2
        with suppress(psycopg.OperationalError), connection.pipeline():
            connection.execute("BEGIN")
            connection.execute("SELECT 1").fetchall()
            pytest.fail("it answered")
        connection.close()

    # pytest keeps what is logged, and with the error all that could be collected.
    monkeypatch.setattr(logging.getLogger("psycopg"), "disabled", True)
    printed: list[str] = []
    monkeypatch.setattr("sys.unraisablehook", lambda what: printed.append(repr(what.exc_value)))
    with flooding_server(b"", b"", drip=60) as url:
        ask(url)
    gc.collect()
    assert printed == []


WRONG = {
    "no such role": ("geocli@", "nobody-of-that-name@", 'role "nobody-of-that-name" does not exist'),
    "no such database": ("/postgres", "/elsewhere", 'database "elsewhere" does not exist'),
    "wrong password": ("geocli@", "guarded:wrong@", "password authentication failed"),
    "no TLS": ("?", "?sslmode=require&", "does not support SSL"),
    "unknown parameter": ("search_path", "nonsense", "unrecognized configuration parameter"),
    "unknown mode of TLS": ("?", "?sslmode=bogus&", "invalid sslmode value"),
    "a port that cannot be": ("?", "?port=99999&", "invalid port number"),
}


@pytest.mark.parametrize("wrong", WRONG, ids=WRONG.keys())
def test_what_cannot_be_right_for_ever_is_said_to_whoever_wrote_the_url(url: str, wrong: str) -> None:
    old, new, reason = WRONG[wrong]
    assert old in url
    store = PostgresStore(url.replace(old, new, 1), 5, 5)
    for ask in (
        lambda: store.find(["192.0.2.1"]),
        store.state,
        lambda: store.replay(answers([record("192.0.2.1")]), NOW),
        lambda: store.forget(NOW, ["answers"], NOW),
    ):
        with pytest.raises(UsageError, match=reason):
            ask()


WORDS = {
    "FATAL:  the database system is starting up": False,
    "FATAL:  sorry, too many clients already": False,
    'FATAL:  too many connections for role "geocli"': False,
    "FATAL:  remaining connection slots are reserved": False,
    "FATAL:  server login has been failing, try again later (server_login_retry)": False,
    "Connection refused\n\tIs the server running on that host?": False,
    'could not translate host name "db" to address: Name or service not known': False,
    'FATAL:  password authentication failed for user "geocli"': True,
    "FATAL:  no pg_hba.conf entry for host": True,
    'invalid integer value "x" for connection option "connect_timeout"': True,
    'invalid target_session_attrs value: "x"': True,
    "could not match 2 port numbers to 3 hosts": True,
    'definition of service "x" not found': True,
    "FATAL:  SASL authentication failed": True,
    "FATAL: no such database: geocli": True,
    "SSL error: certificate verify failed": True,
    'FATAL:  role "geocli" is not permitted to log in': True,
}


@pytest.mark.parametrize("words", WORDS)
def test_words_of_servers_are_for_now_or_for_ever(words: str) -> None:
    error = psycopg.OperationalError(
        f'connection failed: connection to server at "::1", port 1 failed: {words}'
    )
    assert _is_for_ever(error) is WORDS[words]


def test_an_encoding_that_is_not_utf8_is_refused(postgres: Postgres) -> None:
    for number, encoding in enumerate(("SQL_ASCII", "LATIN1")):
        name = f"encoded{number}_{os.getpid()}"
        postgres.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
        try:
            with pytest.raises(UsageError, match=f"{encoding}.*UTF8"):
                PostgresStore(postgres.url(name), 5, 5).find(["192.0.2.1"])
        finally:
            postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_node_that_has_only_the_distributed_tables_is_told_from_an_empty_server(
    store: PostgresStore, url: str
) -> None:
    """A worker of Citus; what is made there, nobody else has."""
    store.replay(answers([record("192.0.2.1")]), NOW)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE geo_state")
        with pytest.raises(UsageError, match=r"takes no writes.*coordinator"):
            store.replay(answers([record("192.0.2.2")]), NOW)
        assert connection.execute("SELECT to_regclass('geo_state')").fetchall() == [(None,)]
    refusal = psycopg.errors.InternalError_("operation is not allowed on this node")
    refusal.sqlstate = "XX000"
    with pytest.raises(UsageError, match="coordinator"), made_once("server"):
        raise refusal


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("XX000", StoreAwayError),  # Citus: a worker died
        ("XX001", DamagedFileError),
        ("XX002", DamagedFileError),
        ("28P01", UsageError),
        ("3D000", UsageError),
    ],
)
def test_errors_of_a_server_are_what_their_codes_say(state: str, kind: type[GeocliError]) -> None:
    error = psycopg.Error("failure on connection marked as essential")
    error.sqlstate = state
    assert type(error_of(error, "server")) is kind


def test_why_a_pipeline_was_not_ended_is_told_instead_of_that() -> None:
    error = psycopg.OperationalError("cannot exit pipeline mode while busy")
    error.__context__ = psycopg.OperationalError("it does not answer in time")
    assert "it does not answer in time" in str(error_of(error, "server"))


def test_no_statement_selects_from_a_sub_select_in_its_list() -> None:
    """Citus refuses that for distributed tables (0A000), and no other server is there to say so."""
    statements = [
        text
        for module in (schema, postgres_bans, writer, postgres_store)
        for text in vars(module).values()
        if isinstance(text, str)
        and text.lstrip().upper().startswith(("SELECT", "INSERT", "DELETE", "UPDATE"))
    ]
    question = BanQuery(countries=frozenset({"DE"}), asns=frozenset({1}), ips=["192.0.2.1"], since=NOW)
    statements += [
        postgres_bans.count(asked, parse_by(by))[0] for asked in (question, BanQuery()) for by in GROUPS
    ]
    assert len(statements) > 20
    for statement in statements:
        for start in re.finditer(r"\bSELECT\b", statement):
            depth, targets = 0, statement[start.end() :]
            for index, char in enumerate(targets):
                depth += (char == "(") - (char == ")")
                if depth < 0 or (depth == 0 and targets.startswith(" FROM ", index)):
                    targets = targets[:index]
                    break
            assert "SELECT" not in targets, statement
