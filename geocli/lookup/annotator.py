"""Text through, with an answer behind every address: for logs, and for ``tail -F``.

Every byte of the text stays as it is; what is added depends on the address alone, and where nothing is
known about it, nothing is added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.inputs.in_text import find_ends
from geocli.inputs.stream import pieces
from geocli.model.addresses import split_reserved
from geocli.system.reporter import now_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from geocli.model.record_batch import RecordBatch, Shared
    from geocli.model.records import GeoRecord
    from geocli.providers.base import BulkProvider

_MOST_REMEMBERED = 600_000  # addresses: some 70 MB


class Annotator:
    """Adds what ``note`` makes of a record. ``provider`` is a local one: a line does not wait for anybody.

    Where a note hangs on its answer alone (``by_answer``), not on address, network or time, it is made once
    for all that have it.
    """

    def __init__(
        self,
        provider: BulkProvider,
        note: Callable[[GeoRecord], str],
        *,
        by_answer: bool = False,
    ) -> None:
        self.found = 0  # addresses, so far
        self._provider = provider
        self._note = note
        # The ``resolved_at`` of all answers, so that they stay the same; ``None`` for that of each.
        self._at = now_text() if by_answer else None
        self._notes: dict[str, bytes] = {}
        self._answers: Sequence[Shared] = ()
        self._made: dict[int, bytes] = {}  # a note for each of these answers, by its number

    def annotate(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The text in pieces: whole lines, as soon as they are there. Raises ``DamagedFileError``."""
        for piece in pieces(chunks):
            yield piece.text if piece.opaque else self._annotated(piece.text)

    def _annotated(self, text: bytes) -> bytes:
        ends = find_ends(text)
        if not ends:
            return text
        self.found += len(ends)
        self._learn({target for _, target in ends})
        notes, begin = self._notes, 0
        parts: list[bytes] = []
        for end, target in ends:
            note = notes[target]
            # Of the networks of a range each has an answer, and most have the same.
            if note and not (end == begin and note == parts[-1]):
                parts += (text[begin:end], note)
                begin = end
        parts.append(text[begin:])
        return b"".join(parts)

    def _learn(self, targets: set[str]) -> None:
        new = targets.difference(self._notes)
        if not new:
            return
        if len(self._notes) > _MOST_REMEMBERED:
            self._notes.clear()
            new = targets
        reserved, asked = split_reserved(new)
        self._notes.update(dict.fromkeys(reserved, b""))
        if asked:
            block = self._provider.batch(asked, self._at or now_text())
            self._notes.update(zip(block.ips, self._notes_of(block), strict=True))

    def _notes_of(self, block: RecordBatch) -> Iterable[bytes]:
        if self._at is None:
            return map(self._noted, block.records())
        if block.answers is not self._answers:  # else it has grown since the last block
            self._answers, self._made = block.answers, {}
        new = block.nowhere(self._made)
        self._made.update((number, self._noted(record)) for number, record in new.items())
        return map(self._made.__getitem__, block.numbers)

    def _noted(self, record: GeoRecord) -> bytes:
        return self._note(record).encode() if record.status == "ok" else b""


def short_note(record: GeoRecord) -> str:
    """`` [DE AS24940 Hetzner Online GmbH]``: what is known of country, AS and organisation."""
    number = None if record.asn is None else f"AS{record.asn}"
    return f" [{' '.join(filter(None, (record.country_code, number, record.org)))}]"
