"""The refresh: what the store has of old answers and of "unknown", asked again, oldest first.

New answers go to the journal like any others; the next flush brings them to the store.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from geocli.model.addresses import is_reserved, parse_target
from geocli.model.clocks import latest_believed
from geocli.model.records import utc_text
from geocli.storage.store.base import Outlived

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.config.settings import Settings
    from geocli.storage.store.base import Store


def outlived(settings: Settings, now: float, older_than: float | None, *, only_unknown: bool) -> Outlived:
    """What is to be asked again: ``unknown``, and what is older than its time to live.

    With ``older_than`` seconds, only what is older than that, whatever it is. What has a time that cannot be
    right is old.
    """
    oldest = utc_text(now - (settings.ttl if older_than is None else older_than))
    # What was resolved in this very second is not newer than now.
    unknown = utc_text(now + 1 if older_than is None else now - older_than)
    return Outlived("" if only_unknown else oldest, unknown, latest_believed(utc_text(now)))


def find_outlived(store: Store, wanted: Outlived, size: int, limit: int | None) -> Iterator[list[str]]:
    """Batches of at most ``size`` targets, ``limit`` in all. Raises ``GeocliError``."""
    left = limit
    for batch in store.outlived(wanted, size):
        targets = list(islice(filter(_is_target, batch), left))
        if targets:
            yield targets
        if left is not None:
            left -= len(targets)
            if left <= 0:
                return


def _is_target(text: str) -> bool:
    """Whether geocli can have written this: a store is a file that anything may have been written to."""
    try:
        return parse_target(text) == text and not is_reserved(text)
    except ValueError:
        return False
