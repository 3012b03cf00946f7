"""Bans shown as quickly as ``lookup`` shows addresses: column by column, as long as they are addresses."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from geocli.bans.current import locate_batches, row_of
from geocli.bans.locator import Locator
from geocli.inputs.in_text import plain_targets
from geocli.lookup.pipeline import Batch, Pipeline
from geocli.model.addresses import parse_target
from geocli.model.ban_batch import NOTHING_BESIDE, BanBatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from geocli.cli.output import Output
    from geocli.cli.session import Lookup
    from geocli.model.bans import Ban, BanQuery
    from geocli.model.errors import Problems
    from geocli.output.formats.beside import BesideWriter

_PLAIN, _BESIDE, _OTHER = range(3)
"""Bans of which nothing is told but who it is; of which more is told; of which one is no address."""


class BansByColumn:
    """Shows bans; those that cannot be shown by column, one by one in their place.

    ``query`` must not ask from where bans are. ``writer`` has the output's form.
    """

    def __init__(
        self, lookup: Lookup, query: BanQuery, output: Output, writer: BesideWriter, problems: Problems
    ) -> None:
        self._lookup = lookup
        self._query = query
        self._output = output
        self._writer = writer
        self._beside = Pipeline(lookup.resolver, lookup.cache, writer.render, problems)

    def show(self, found: Iterable[Sequence[Ban]]) -> Iterator[None]:
        """Show them all, and yield before each part. Raises ``GeocliError``."""
        lookup, output = self._lookup, self._output
        locator = Locator(lookup.pipeline, lookup.resolver.batch_size)
        for kind, group in groupby(self._parts(found), key=itemgetter(0)):
            batches = map(itemgetter(1), group)
            if kind == _PLAIN:
                for rows in lookup.pipeline.run([*batch.texts] for batch in batches):
                    yield
                    output.write_rendered(rows.data)
            elif kind == _BESIDE:
                for rows in self._beside.run_beside(map(self._batch, batches)):
                    yield
                    output.write_utf8(rows.data)
            else:
                for located in locate_batches(batches, self._query, locator):
                    yield
                    output.write([row_of(ban) for ban in located])

    def _batch(self, bans: BanBatch) -> Batch:
        return Batch([*bans.texts], bans.beside.to_bytes(self._writer.names))

    def _parts(self, found: Iterable[Sequence[Ban]]) -> Iterator[tuple[int, BanBatch]]:
        """Yield the bans by how they can be shown, in batches.

        A batch is at least of the resolver's size while there is input, and smaller where that pauses.
        """
        query, size = self._query, self._lookup.resolver.batch_size
        for bans in found:
            if query.jails or query.needs_time:
                batch = BanBatch.of([ban for ban in bans if query.takes(ban)])
            else:
                batch = BanBatch.of(bans)
            begin = 0
            while begin < len(batch):
                left = len(batch) - begin
                end = begin + (size if left >= 2 * size else left)
                yield self._part(batch[begin:end])
                begin = end

    def _part(self, batch: BanBatch) -> tuple[int, BanBatch]:
        is_plain = batch.beside == NOTHING_BESIDE
        if not (is_plain or self._lookup.resolver.steady):
            return _OTHER, batch  # of an online source no address may be asked for twice
        targets = _targets(batch.texts)
        if targets is None:
            return _OTHER, batch
        return _PLAIN if is_plain else _BESIDE, BanBatch(targets, batch.beside)


def _targets(texts: Sequence[str]) -> list[str] | None:
    """Who is banned, in canonical form; ``None`` where one is no address or network."""
    words = list(texts)
    try:
        return plain_targets(words) or list(map(parse_target, words))
    except ValueError:
        return None
