"""Everything that is measured: what a shell, a bulk look-up, a cron job and a log ask of geocli."""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.ban_inputs import write_ban_log, write_database
from tests.benchmarks.inputs import LINE, address
from tests.benchmarks.measure import Case, Command, geocli, script

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.measure import Bench
    from tests.benchmarks.states import Inputs

_BANS = 5000
_JAILS = 5
_ROWS = 300_000  # of fail2ban's database
_LINES = 450_000  # of fail2ban's log: 150,000 bans


class Cases:
    """The lines of the table, for these inputs. Nothing is made before a case's ``prepare``."""

    def __init__(self, bench: Bench, inputs: Inputs) -> None:
        self._bench = bench
        self._inputs = inputs
        self._raw = bench.scratch / "raw.db"

    def all(self) -> list[Case]:
        """In the order in which they are measured."""
        inputs = self._inputs
        size = f"{inputs.lines * LINE / 1e6:,g} MB"
        greps = [self._grep(size, "", 0.6), self._grep(size, "LC_ALL=C ", 0.6)]
        return [*self.short(), *self.bulk(f"{inputs.count:,}", size), *greps, *self.other()]

    def short(self) -> list[Case]:
        """Commands that are over in a moment."""
        return [
            self._moment("8.8.8.8 -j, new", "8.8.8.8 -j", "other", 1.35),
            self._moment("8.8.8.8 -j, known", "8.8.8.8 -j", "known", 1.35),
            self._moment("flush, idle", "flush", "idle", 1.25),
            self._moment("--version", "--version", "idle", 1.25),
            self._moment("--help", "--help", "idle", 1.25),
        ]

    def bulk(self, count: str, size: str) -> list[Case]:
        """Commands whose cost grows with what they are given: ``count`` addresses, a log of ``size``."""
        inputs = self._inputs
        stored = partial(inputs.need, "store")
        return [
            self._look_up(f"lookup --no-cache -c, {count}", inputs.work, self._forget, 1.5),
            self._look_up(f"lookup -j, {count} new", inputs.work, self._forget, 4),
            self._look_up(f"lookup -j, {count} stored", inputs.state("store"), stored, 4),
            self._flush(f"flush of {count}, empty store", "journal", None),
            self._flush(f"flush of {count}, full store", "both", "store"),
            self._log("annotate", size, 2),
            self._log("summarize", size, None),
        ]

    def other(self) -> list[Case]:
        """Bans, and one address where there are many already."""
        lists = [self._bans_of_list(), self._database(), self._rows(), self._log_of_bans()]
        bans = [*lists, self._ban_list(), self._history(), self._report()]
        return [*bans, self._beside("journal", 0.3), self._beside("store", 0.005)]

    def _moment(self, name: str, arguments: str, state: str, most: float) -> Case:
        command = geocli(self._inputs.work, *arguments.split())
        base = self._timed("empty_app.py", "one")
        return Case(name, command, "empty Typer app", base, most, partial(self._inputs.restore, state))

    def _look_up(self, name: str, data: Path, prepare: Callable[[], object], most: float) -> Case:
        inputs = self._inputs
        arguments = name.partition(",")[0].split()
        command = geocli(data, *arguments, stdin=inputs.addresses)
        base = self._timed("raw_get.py", stdin=inputs.addresses)
        return Case(name, command, "maxminddb get", base, most, prepare, items=inputs.count)

    def _flush(self, name: str, state: str, before: str | None) -> Case:
        inputs = self._inputs

        def base() -> float:
            for file in self._raw.parent.glob(f"{self._raw.name}*"):
                file.unlink()
            if before is not None:
                shutil.copyfile(inputs.need(before) / "geo.db", self._raw)
                os.sync()
            self._bench.seconds(script("raw_upsert.py", inputs.rows(state), self._raw))
            return float(self._bench.output.read_text())

        prepare = partial(inputs.restore, state)
        return Case(name, geocli(inputs.work, "flush"), "executemany", base, 1.2, prepare, items=inputs.count)

    def _log(self, command: str, size: str, most: float | None) -> Case:
        inputs = self._inputs

        def prepare() -> None:
            inputs.need_log()
            inputs.forget()

        run = geocli(inputs.work, command, stdin=inputs.log)
        base = self._timed("raw_search.py", stdin=inputs.log)
        return Case(f"{command}, {size}", run, "re finding them", base, most, prepare, items=inputs.lines)

    def _grep(self, size: str, locale: str, most: float) -> Case:
        """What a shell has for the same question, but for the countries; in UTF-8 ``grep`` takes long."""
        inputs = self._inputs

        def prepare() -> None:
            inputs.need_log()
            inputs.forget()

        pipe = r"grep -oE '([0-9]{1,3}\.){3}[0-9]{1,3}' | sort | uniq -c"
        shell = Command(("sh", "-c", f"export {locale}; {pipe}" if locale else pipe), stdin=inputs.log)
        run = geocli(inputs.work, "summarize", "--by", "country", stdin=inputs.log)
        name, base = f"summarize --by country, {size}", partial(self._bench.seconds, shell)
        return Case(name, run, f"{locale}grep, sort", base, most, prepare, items=inputs.lines)

    def _bans_of_list(self) -> Case:
        inputs = self._inputs

        def base() -> float:
            return self._bench.seconds(
                geocli(inputs.work, "lookup", "--no-cache", "-c", stdin=inputs.addresses)
            )

        command = geocli(inputs.work, "bans", "--no-cache", "-c", stdin=inputs.addresses)
        name = f"bans --no-cache -c, {inputs.count:,}"
        return Case(name, command, "lookup of the same", base, 1.5, self._forget, items=inputs.count)

    def _database(self) -> Case:
        """Beside a look-up of the same addresses, as which it should take hardly more."""
        path, listed = self._bench.scratch / "fail2ban.sqlite3", self._bench.scratch / "fail2ban.txt"

        def prepare() -> None:
            if not path.exists():
                write_database(path, _ROWS)
                listed.write_text("".join(f"{address(number)}\n" for number in range(_ROWS)))

        def base() -> float:
            return self._bench.seconds(geocli(self._inputs.work, "lookup", "--no-cache", "-c", stdin=listed))

        command = geocli(self._inputs.work, "bans", "--no-cache", "-c", "--database", str(path))
        name = f"bans --database -c, {_ROWS:,} rows"
        return Case(name, command, "lookup of the same", base, 2, prepare, items=_ROWS)

    def _rows(self) -> Case:
        """The same beside what reading and writing the rows takes, where nobody is looked up."""
        path, case = self._bench.scratch / "fail2ban.sqlite3", self._database()
        base = partial(self._bench.seconds, script("raw_bans.py", path))
        return case._replace(baseline="Python's sqlite3 printing them", base=base, most=None)

    def _log_of_bans(self) -> Case:
        path = self._bench.scratch / "fail2ban.log"

        def prepare() -> None:
            if not path.exists():
                write_ban_log(path, _LINES)

        base = partial(
            self._bench.seconds, geocli(self._inputs.work, "lookup", "--no-cache", "-c", stdin=path)
        )
        command = geocli(self._inputs.work, "bans", "--no-cache", "-c", stdin=path)
        name = f"bans -c of a log, {_LINES:,} lines"
        return Case(name, command, "lookup of the same", base, None, prepare, items=_LINES)

    def _ban_list(self) -> Case:
        inputs = self._inputs
        path = self._bench.scratch / "bans"

        def prepare() -> None:
            banned = [address(number, inputs.ipv6) for number in range(_BANS)]
            jails = [{f"jail-{number}": banned[number::_JAILS]} for number in range(_JAILS)]
            path.write_text(f"{jails}\n")
            inputs.forget()

        command = geocli(inputs.work, "bans", "--by", "country", "--table", stdin=path)
        return Case(f"bans --by country, {_BANS:,} new", command, "lookup of one", self._one, 3, prepare)

    def _history(self) -> Case:
        command = geocli(self._year, "bans", "--history", "--since", "1y", "--by", "country")
        name = "bans --history --by country, a year"
        return Case(name, command, "lookup of one", self._one, 3, self._need_year)

    def _report(self) -> Case:
        command = geocli(self._year, "report", "--history", "-o", str(self._bench.scratch / "year.html"))
        groups = geocli(self._year, "bans", "--history", "--by", "country")
        base = partial(self._bench.seconds, groups)
        return Case("report --history, a year", command, "bans --by country", base, 10, self._need_year)

    @property
    def _year(self) -> Path:
        return self._bench.scratch / "year"

    def _need_year(self) -> None:
        if not self._year.exists():  # elsewhere: what it needs would count as memory of what is measured
            make = (sys.executable, "-m", "tests.benchmarks.year", str(self._year / "geo.db"))
            self._bench.seconds(Command(make))

    def _one(self) -> float:
        self._inputs.forget()
        return self._bench.seconds(geocli(self._inputs.work, "8.8.8.8", "-j"))

    def _beside(self, kind: str, most: float) -> Case:
        """The address is where the search ends last: in the oldest segment."""
        inputs = self._inputs
        oldest, alone = address(0, inputs.ipv6), self._bench.scratch / f"alone-{kind}"

        def prepare() -> None:
            inputs.need(kind)
            if not alone.exists():
                self._bench.seconds(geocli(alone, oldest))
                if kind == "store":
                    self._bench.seconds(geocli(alone, "flush"))

        def base() -> float:
            return self._bench.seconds(geocli(alone, oldest, "-j"))

        command = geocli(inputs.state(kind), oldest, "-j")
        name = f"lookup -j of one, {kind} of {inputs.count:,}"
        return Case(name, command, "beside one", base, most, prepare, is_difference=True)

    def _forget(self) -> None:
        self._inputs.need_addresses()
        self._inputs.forget()

    def _timed(self, *arguments: str, stdin: Path = Path(os.devnull)) -> Callable[[], float]:
        return partial(self._bench.seconds, script(*arguments, stdin=stdin))
