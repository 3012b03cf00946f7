"""Of rows that were read, those that geocli can have written: one that it did not holds back no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from geocli.model.errors import BadRowsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_Row = TypeVar("_Row")
_Checked = TypeVar("_Checked")


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
