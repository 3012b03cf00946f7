"""What a command read: for ``-v``, and for the line on a terminal when there was no address in it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from geocli.cli.console import is_for_people, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from geocli.config.settings import Settings
    from geocli.inputs.stream import Stream
    from geocli.model.errors import Problems


class Inputs:
    """Opens inputs one after the other, and remembers what was in them."""

    def __init__(self, paths: Iterable[Path], problems: Problems, settings: Settings) -> None:
        self.paths = [*paths]
        self._problems = problems
        self._settings = settings
        self._read: list[Stream] = []
        self.watch: Callable[[int], None] = lambda _: None
        """Hears how many bytes were read each time."""

    def streams(self) -> Iterator[Stream]:
        """Each input, open until the next is asked for; what cannot be opened is noted."""
        from geocli.inputs.targets import open_streams  # arguments do without

        for stream in open_streams(self.paths, sys.stdin, self._problems, self.watch):
            self._read.append(stream)
            stream.counts_lines = self._settings.verbose
            yield stream
            if self._settings.verbose and not stream.is_empty:
                lines, addresses = stream.lines, stream.addresses
                say(
                    f"{stream.name}: {stream.form}: {lines:,} line{'s' * (lines != 1)},"
                    f" {addresses:,} address{'es' * (addresses != 1)}"
                )

    def say_if_nothing_found(self) -> None:
        """Say on a terminal that there was no address, or nothing at all: an empty result is no error."""
        if not is_for_people(self._settings) or not self._read or self._problems.bad_inputs:
            return
        if any(stream.addresses for stream in self._read):
            return
        is_empty = all(stream.is_empty for stream in self._read)
        if len(self._read) == 1:
            name = self._read[0].name
            say(f"{name} is empty" if is_empty else f"no address in {name}")
        else:
            count = len(self._read)
            say(f"all {count} inputs are empty" if is_empty else f"no address in {count} inputs")
