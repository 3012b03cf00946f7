"""When stored answers were given: all that has to be known of them by whoever would give the same again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from geocli.model.records import GeoRecord, check_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from geocli.model.records import Status

    Kind = tuple[Status | None, str | None, str | None]
    """Status, source and time of an answer, which say whether it serves; three times ``None``: none."""

COLUMNS = "status, source, resolved_at"
"""A kind as it is selected."""

NO_KIND: Kind = (None, None, None)


def usable_times(
    targets: Iterable[str], kinds: Iterable[Kind], usable: Callable[[GeoRecord], bool]
) -> dict[str, str]:
    """Return when the answer about each target was given, of which these are the kinds, if it is usable.

    Raises ``ValueError`` for what no record may be.
    """
    kinds = list(kinds)
    times: dict[Kind, str | None] = {}
    for kind in {*kinds} - {NO_KIND}:  # hardly ever more than some
        status, source, resolved_at = check_kind(*kind)
        is_usable = usable(GeoRecord("", status, source=source, resolved_at=resolved_at))
        times[kind] = resolved_at if is_usable else None
    found = zip(targets, map(times.get, kinds), strict=True)
    return {target: time for target, time in found if time is not None}


def times_of(
    targets: Sequence[str],
    kinds: Sequence[Kind],
    usable: Callable[[GeoRecord], bool],
    numbers: Iterable[int],
) -> dict[str, str]:
    """Return the same for those of these targets and kinds that have these numbers."""
    chosen = list(numbers)
    return usable_times([targets[n] for n in chosen], [kinds[n] for n in chosen], usable)


def most_frequent(kinds: Iterable[Kind]) -> Kind:
    """Return the kind that there is most of, ``NO_KIND`` for one."""
    counted = Counter(kinds).most_common(1)
    return counted[0][0] if counted else NO_KIND
