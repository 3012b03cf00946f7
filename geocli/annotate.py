"""Text through, with an answer behind every address: for logs, and for ``tail -F``.

Every byte of the text stays as it is; what is added depends on the address alone, and where nothing is
known about it, nothing is added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.addresses import split_reserved
from geocli.in_text import find_ends
from geocli.inputs.stream import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from geocli.providers import Provider
    from geocli.records import GeoRecord
    from geocli.reporter import Reporter

_MOST_REMEMBERED = 100_000  # addresses: some 20 MB


class Annotator:
    """Adds what ``note`` makes of a record. ``provider`` is a local one: a line does not wait for anybody."""

    def __init__(self, provider: Provider, note: Callable[[GeoRecord], str], reporter: Reporter) -> None:
        self._provider = provider
        self._note = note
        self._reporter = reporter
        self._notes: dict[str, bytes] = {}

    def annotate(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The text in pieces: whole lines, as soon as they are there. Raises ``DamagedFileError``."""
        for piece in pieces(chunks):
            yield piece.text if piece.opaque else self._annotated(piece.text)

    def _annotated(self, text: bytes) -> bytes:
        ends = find_ends(text)
        if not ends:
            return text
        self._learn({target for _, target in ends})
        notes, begin = self._notes, 0
        parts: list[bytes] = []
        for end, target in ends:
            if note := notes[target]:
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
        for part in self._provider.resolve(asked, self._reporter):
            for record in part:
                known = record.status == "ok"
                self._notes[record.ip] = self._note(record).encode() if known else b""


def short_note(record: GeoRecord) -> str:
    """`` [DE AS24940 Hetzner Online GmbH]``: what is known of country, AS and organisation."""
    number = None if record.asn is None else f"AS{record.asn}"
    return f" [{' '.join(filter(None, (record.country_code, number, record.org)))}]"
