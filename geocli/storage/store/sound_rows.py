"""Of rows that were read, those that geocli can have written: one that it did not holds back no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from geocli.model.errors import BadRowsError, DamagedFileError
from geocli.model.records import GeoRecord, check_rows, clean_text, is_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from geocli.model.bans import SeenBan
    from geocli.storage.store.base import BanCount

_Row = TypeVar("_Row")
_Checked = TypeVar("_Checked")

WHO = 2
"""The column of a ban that says who was banned."""

_LONGEST = 100  # characters of what a row is about


def sound(
    store: Path | str,
    targets: Sequence[str],
    rows: Sequence[_Row],
    check: Callable[[Sequence[int]], _Checked],
) -> _Checked:
    """Return what ``check`` makes of the rows with these numbers; it raises ``ValueError`` for a bad one.

    ``targets`` are what the rows are about. Raises ``BadRowsError``, which has what the others say.
    """
    numbers = range(len(rows))
    try:
        return check(numbers)
    except ValueError:
        pass
    good, bad, reason = list[int](), list[str](), ""
    for number in numbers:
        try:
            check([number])
        except ValueError as error:
            bad.append(targets[number])
            reason = reason or str(error)
        else:
            good.append(number)
    raise BadRowsError(store, bad, reason, check(good))


class Sieve:
    """Lets rows through that geocli can have written, and tells of the others when all were read."""

    def __init__(self, store: Path | str) -> None:
        self._store = store
        self._bad = 0
        self._first = ""

    def located(
        self, bans: Sequence[tuple[Any, ...]], answers: Sequence[tuple[Any, ...] | None]
    ) -> list[tuple[SeenBan, GeoRecord | None]]:
        """Return the bans that are sound, each with its answer, if there is one and that is sound."""
        from geocli.model.bans import SeenBan, check_bans  # answers do without

        found, known = self.known(bans, check_bans, WHO), self.known(answers, check_rows, 0)
        return [
            (SeenBan._make(ban), None if answer is None else GeoRecord._make(answer))
            for ban, answer in zip(found, known, strict=True)
            if ban is not None
        ]

    def known(
        self, rows: Sequence[Any], check: Callable[[list[Any]], object], about: int
    ) -> list[tuple[Any, ...] | None]:
        """Return the rows, ``None`` in the place of each for which ``check`` raises ``ValueError``.

        ``about`` is the column that says what a row is about. What is ``None`` already stays so.
        """
        try:
            check([row for row in rows if row is not None])
        except ValueError:
            return [row if row is None or self._is_good(row, check, about) else None for row in rows]
        return list(rows)

    def _is_good(self, row: Any, check: Callable[[list[Any]], object], about: int) -> bool:
        try:
            check([row])
        except ValueError as error:
            self._bad += 1
            self._first = self._first or f"about {clean_text(str(row[about]), _LONGEST)}: {error}"
            return False
        return True

    def end(self) -> None:
        """Tell of what was left out. Raises ``DamagedFileError``."""
        if self._bad:
            what = f"{self._bad} rows" if self._bad > 1 else "a row"
            reason = f"holds {what} that geocli did not write, {'one ' * (self._bad > 1)}{self._first}"
            raise DamagedFileError(self._store, reason, "correct or delete it")


def check_span(count: BanCount) -> None:
    """See that a group of bans began and ended at times, else raise ``ValueError``."""
    if not (is_time(count.first) and is_time(count.last)):
        raise ValueError("banned_at is not a time")
