"""geocli beside itself: IPv6 beside IPv4, and what is known, in another order, beside what is new."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.inputs import LINE
from tests.benchmarks.measure import Case, Command, geocli
from tests.benchmarks.states import Inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.measure import Bench

_V6 = 100  # per cent
_MIXED = 40
_NOT_SLOWER = 1.1  # than what is new


class Comparisons:
    """The lines of the table, for so many addresses and lines. Nothing is made before ``prepare``."""

    def __init__(self, bench: Bench, directory: Path, count: int, lines: int) -> None:
        self._bench = bench
        self._v4 = Inputs(bench, directory / "v4", count, lines, 0)
        self._v6 = Inputs(bench, directory / "v6", count, lines, _V6)
        self._mixed = Inputs(bench, directory / "mixed", count, lines, _MIXED)

    def all(self) -> list[Case]:
        """In the order in which they are measured."""
        count, size = f"{self._v4.count:,}", f"{self._v4.lines * LINE / 1e6:,g} MB"
        return [
            self._families("lookup --no-cache -c", "", f"{count} IPv6", self._look_up, 1.5),
            self._families("lookup -j", "", f"{count} IPv6 new", self._look_up, 1.5),
            self._families("lookup -j", "store", f"{count} IPv6 stored", self._look_up, 1.5),
            self._families("flush", "journal", f"{count} IPv6", self._flush, 1.5),
            self._logs("summarize", size, 1.3),
            self._logs("annotate", size, 1.5),
            *self.shuffled(count),
            self._counted_known(size),
        ]

    def shuffled(self, count: str) -> list[Case]:
        """Addresses that are known already, in another order than they came in."""
        return [
            self._known("journal", f"lookup -j, {count} in the journal, shuffled"),
            self._known("store", f"lookup -j, {count} stored, shuffled"),
        ]

    def _families(
        self,
        command: str,
        state: str,
        what: str,
        run: Callable[[Inputs, str], Command],
        most: float,
    ) -> Case:
        def prepare(inputs: Inputs) -> None:
            inputs.need_addresses()
            inputs.restore(state) if state else inputs.forget()

        def base() -> float:
            prepare(self._v4)
            return self._bench.seconds(run(self._v4, command))

        name, count = f"{command}, {what}", self._v6.count
        return Case(
            name,
            run(self._v6, command),
            "the same, IPv4",
            base,
            most,
            partial(prepare, self._v6),
            items=count,
        )

    @staticmethod
    def _look_up(inputs: Inputs, command: str) -> Command:
        return geocli(inputs.work, *command.split(), stdin=inputs.addresses)

    @staticmethod
    def _flush(inputs: Inputs, command: str) -> Command:
        return geocli(inputs.work, command)

    def _logs(self, command: str, size: str, most: float) -> Case:
        def prepare(inputs: Inputs) -> None:
            inputs.need_log()
            inputs.forget()

        def base() -> float:
            prepare(self._v4)
            return self._bench.seconds(geocli(self._v4.work, command, stdin=self._v4.log))

        run = geocli(self._mixed.work, command, stdin=self._mixed.log)
        name = f"{command}, {size}, {_MIXED} % IPv6"
        return Case(
            name, run, "IPv4 only", base, most, partial(prepare, self._mixed), items=self._mixed.lines
        )

    def _known(self, state: str, name: str) -> Case:
        inputs = self._v4

        def prepare() -> None:
            inputs.need_shuffled()
            inputs.restore(state)

        def base() -> float:
            inputs.forget()
            return self._bench.seconds(geocli(inputs.work, "lookup", "-j", stdin=inputs.shuffled))

        run = geocli(inputs.work, "lookup", "-j", stdin=inputs.shuffled)
        return Case(name, run, "the same, new", base, _NOT_SLOWER, prepare, items=inputs.count)

    def _counted_known(self, size: str) -> Case:
        """A log, all of whose addresses a list brought in, in another order."""
        inputs = self._v4
        known = inputs.state("journal-of-clients")
        run = geocli(inputs.work, "summarize", stdin=inputs.log)

        def prepare() -> None:
            inputs.need_log()
            if not known.exists():
                inputs.need_clients()
                self._bench.seconds(geocli(known, "lookup", "-j", stdin=inputs.clients))
            inputs.forget()
            shutil.copytree(known, inputs.work)

        def base() -> float:
            inputs.forget()
            return self._bench.seconds(run)

        name = f"summarize, {size}, its addresses in the journal"
        return Case(name, run, "none known", base, _NOT_SLOWER, prepare, items=inputs.lines)
