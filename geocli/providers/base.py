"""Providers: targets in, records out. One file a source; ``config.sources`` says which there are.

The contract, which ``tests/providers`` runs over all of them:

* The module defines ``create(settings) -> Provider``; importing it imports nothing heavy.
* ``sources`` names the sources whose stored answers the provider vouches for: what it would write
  into a record's ``source`` today. An answer of another edition is not its answer.
* ``resolve`` gets distinct, canonical, never reserved targets and yields one record for each, in parts as
  they come, in any order: ``ok``, ``unknown`` (asked, and the source does not have it) or ``error`` (could
  not be asked). It raises ``UnanswerableError`` when it can answer nothing more: what it has yielded counts.
* ``batch_size`` is how many targets it would like to be asked at once. A provider that is ``local`` asks
  nobody and yields one part.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from geocli.config.sources import PROVIDERS
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geocli.config.settings import Settings
    from geocli.model.record_batch import RecordBatch
    from geocli.model.records import GeoRecord
    from geocli.system.reporter import Reporter


class Provider(Protocol):
    """Where answers come from."""

    @property
    def sources(self) -> frozenset[str]:
        """What this provider's records carry as ``source``."""

    @property
    def batch_size(self) -> int:
        """How many targets are best asked about at once."""

    @property
    def local(self) -> bool:
        """Whether no address leaves this machine."""

    def resolve(self, targets: Sequence[str], reporter: Reporter) -> Iterator[list[GeoRecord]]:
        """Records for all targets, in parts; ``reporter`` has the clock and hears what goes on.

        A part may be empty: then there is time to do something else.
        """


@runtime_checkable
class BulkProvider(Provider, Protocol):
    """A local provider that answers many at once, by column: the same answers as ``resolve``'s."""

    def batch(self, targets: Sequence[str], resolved_at: str) -> RecordBatch:
        """One record for each target, in order. Raises ``DamagedFileError``."""


def load_provider(name: str, settings: Settings) -> Provider:
    """Return the provider of that name. Raises ``UsageError`` when there is none."""
    for choice in PROVIDERS:
        if choice.name == name:
            provider: Provider = importlib.import_module(choice.module).create(settings)
            return provider
    names = ", ".join(choice.name for choice in PROVIDERS)
    raise UsageError(f"no provider is called {ascii(name)}: there is {names}")
