"""Data directories as commands find them: empty, with a full journal, with a full store."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.inputs import clients_of, write_addresses, write_log
from tests.benchmarks.measure import Bench, geocli

if TYPE_CHECKING:
    from pathlib import Path


class _State(NamedTuple):
    """What makes it: a command, in a copy of another one; ``is_bulk`` if it reads all addresses."""

    arguments: tuple[str, ...]
    begin: str | None = None
    is_bulk: bool = False


_STATES = {
    "other": _State(("9.9.9.9",)),
    "known": _State(("8.8.8.8",)),
    "idle": _State(("flush",), "known"),
    "journal": _State(("lookup", "-j"), is_bulk=True),
    "store": _State(("flush",), "journal"),
    "both": _State(("lookup", "-j", "--refresh"), "store", is_bulk=True),  # each row will be replaced
}


class Inputs:
    """Files and data directories for so many addresses and lines, each made once, when it is needed."""

    def __init__(self, bench: Bench, directory: Path, count: int, lines: int, ipv6: int) -> None:
        directory.mkdir(parents=True)
        self._bench = bench
        self._directory = directory
        self.count = count
        self.lines = lines
        self.ipv6 = ipv6
        self.addresses = directory / "addresses"
        self.shuffled = directory / "shuffled"  # the same addresses
        self.clients = directory / "clients"  # those of the log, in no order of its
        self.log = directory / "log"
        self.work = directory / "work"  # the data directory that commands change

    def need_addresses(self) -> None:
        """Write the list of addresses."""
        if not self.addresses.exists():
            write_addresses(self.addresses, self.count, self.ipv6)

    def need_shuffled(self) -> None:
        """Write the same list in another order."""
        if not self.shuffled.exists():
            write_addresses(self.shuffled, self.count, self.ipv6, shuffled=True)

    def need_clients(self) -> None:
        """Write the list of the addresses that the log may name, in another order."""
        if not self.clients.exists():
            write_addresses(self.clients, clients_of(self.lines), self.ipv6, shuffled=True)

    def need_log(self) -> None:
        """Write the log."""
        if not self.log.exists():
            write_log(self.log, self.lines, self.ipv6)

    def state(self, name: str) -> Path:
        """The path of a data directory, which ``need`` makes."""
        return self._directory / name

    def rows(self, name: str) -> Path:
        """The path of what a bulk look-up printed that made a data directory."""
        return self._directory / f"{name}.jsonl"

    def need(self, name: str) -> Path:
        """A data directory in this state."""
        path, state = self.state(name), _STATES[name]
        if not path.exists():
            if state.begin is not None:
                shutil.copytree(self.need(state.begin), path)
            if state.is_bulk:
                self.need_addresses()
                self._bench.seconds(geocli(path, *state.arguments, stdin=self.addresses))
                self._bench.output.rename(self.rows(name))
            else:
                self._bench.seconds(geocli(path, *state.arguments))
        return path

    def restore(self, name: str) -> None:
        """Make ``work`` a copy of a state."""
        state = self.need(name)
        self.forget()
        shutil.copytree(state, self.work)
        os.sync()  # else the command that is measured would wait for the copy to be on disk

    def forget(self) -> None:
        """Leave no ``work``."""
        shutil.rmtree(self.work, ignore_errors=True)
