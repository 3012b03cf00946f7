"""A provider that asks an online source: records out of its answers, batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.model.errors import UnanswerableError
from geocli.model.records import NOTHING, Answer, GeoRecord, record_of
from geocli.model.reserved import inner_ipv4

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geocli.config.settings import Settings, SourceSettings
    from geocli.model.records import Status
    from geocli.providers.online.base import Source
    from geocli.system.reporter import Reporter

_CONCURRENCY = 4  # requests at once, where there is no limit


class OnlineProvider:
    """A provider that asks an online source."""

    local = False

    def __init__(self, source: Source, settings: Settings) -> None:
        chosen: SourceSettings = settings.source(source.name)
        self._source = source
        self._settings = settings
        self._timeout = chosen.timeout
        self._concurrency = chosen.concurrency or _CONCURRENCY if source.limit is None else 1
        self.batch_size = min(chosen.batch_size or source.batch_size, source.batch_size)
        self._asking: Any = None

    @property
    def sources(self) -> frozenset[str]:
        """The source's name: an online source has no edition."""
        return frozenset({self._source.name})

    def resolve(self, targets: Sequence[str], reporter: Reporter) -> Iterator[list[GeoRecord]]:
        """Records batch by batch, as they come. Raises ``UnanswerableError`` when the source is down."""
        addresses = [target for target in targets if "/" not in target]
        if len(addresses) < len(targets):
            reporter.problem(UnanswerableError(f"{self._source.name} answers addresses, not networks"))
            yield [GeoRecord(target, "error") for target in targets if "/" in target]
        if not addresses:
            return
        if self._asking is None:
            from geocli.providers.online.client import OnlineClient  # and with it httpx and asyncio: 200 ms

            self._asking = OnlineClient(
                self._source, self._settings, self.batch_size, self._concurrency, self._timeout, reporter
            )
        # What is inside of an IPv6 address of a transition is where the host is.
        asked: dict[str, list[str]] = {}
        for target in addresses:
            asked.setdefault(inner_ipv4(target) or target, []).append(target)
        for answers in self._asking.ask(list(asked)):
            resolved_at = reporter.clock()
            yield [
                _record(target, answer, self._source.name, resolved_at)
                for address, answer in answers.items()
                for target in asked[address]
            ]


def _record(target: str, answer: Answer | None, source: str, resolved_at: str) -> GeoRecord:
    if answer is None:
        return GeoRecord(target, "error")
    status: Status = "unknown" if answer == NOTHING else "ok"
    return record_of(target, status, answer, None, source, resolved_at)
