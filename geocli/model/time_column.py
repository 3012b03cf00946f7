"""Times by column: of thousands of bans, when they began, as text only for whoever looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, overload

from geocli.model.records import utc_text

if TYPE_CHECKING:
    from array import array

NEVER = -1
"""Stands for no time at all."""

END_OF_TIME = 253_402_300_800
"""The first second that a record's times cannot tell, in the year 10000."""

_HOUR = 3600


class TimeColumn(Sequence["str | None"]):
    """A record's times, made of whole ``seconds`` since the epoch; ``None`` for what such a time cannot tell.

    ``list(TimeColumn(array("q", [0, NEVER])))`` is ``["1970-01-01T00:00:00Z", None]``.
    """

    __slots__ = ("seconds",)

    def __init__(self, seconds: array[int]) -> None:
        self.seconds = seconds

    def __len__(self) -> int:
        return len(self.seconds)

    def __iter__(self) -> Iterator[str | None]:
        if not self.seconds:
            return iter(())
        texts = b"\n".join(self.encoded()).decode().split("\n")
        return iter(texts) if all(texts) else (text or None for text in texts)

    @overload
    def __getitem__(self, index: int) -> str | None: ...
    @overload
    def __getitem__(self, index: slice) -> TimeColumn: ...
    def __getitem__(self, index: int | slice) -> str | TimeColumn | None:
        if isinstance(index, slice):
            return TimeColumn(self.seconds[index])
        second = self.seconds[index]
        return utc_text(second) if 0 <= second < END_OF_TIME else None

    def encoded(self, before: bytes = b"", after: bytes = b"", nothing: bytes = b"") -> list[bytes]:
        """Return each as text between two others; ``nothing`` alone for what is no time."""
        hours, rests = _Hours(before), _rests(after)
        try:
            return [hours[second // _HOUR] + rests[second % _HOUR] for second in self.seconds]
        except ValueError:
            return [
                hours[second // _HOUR] + rests[second % _HOUR] if 0 <= second < END_OF_TIME else nothing
                for second in self.seconds
            ]


class _Hours(dict[int, bytes]):
    """How the times of an hour begin, by its number since the epoch, behind a text."""

    def __init__(self, before: bytes) -> None:
        self._before = before

    def __missing__(self, hour: int) -> bytes:
        begin = hour * _HOUR
        if not 0 <= begin < END_OF_TIME:
            raise ValueError("no record tells such a time")
        text = self[hour] = self._before + utc_text(begin)[:13].encode()
        return text


@lru_cache(maxsize=8)
def _rests(after: bytes) -> Sequence[bytes]:
    """How the times of each second of an hour end, before a text."""
    numbers = [b":%02d" % number for number in range(60)]
    ends = [number + b"Z" + after for number in numbers]
    return [minute + end for minute in numbers for end in ends]
