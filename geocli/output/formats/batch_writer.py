"""Blocks as text: of many records, what they have in common is rendered once.

A line is cut at all that is new in it: the address, its network, the time, of which each second has another,
and what stands beside the record. What stands between these is rendered once for each answer, and remembered;
with the time, once for each list of answers, which many blocks may share. Then all pieces of all lines are
joined.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, repeat, zip_longest
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from geocli.model.record_batch import RESOLVED_AT, SHARED
from geocli.output.formats.base import PLAIN, to_bytes
from geocli.output.formats.derived import derive

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from geocli.model.record_batch import RecordBatch, Shared
    from geocli.output.formats.derived import Derive

_NEW = frozenset({"ip", "network", "resolved_at"})
_TIMELESS = tuple(name for name in SHARED if name != "resolved_at")
_timeless = itemgetter(*map(SHARED.index, _TIMELESS))
_MOST_REMEMBERED = 16_000  # answers: some 8 MB

_Pieces = tuple[bytes, ...]
"""What stands before, between and behind what is new in a line."""


class BatchWriter:
    """Renders blocks as lines that all have the same fields.

    ``literals`` are the texts before, between and behind the fields ``names``, which may name one more than
    once. ``encode`` makes text of a value, ``encode_column`` of many; around an address it puts ``quote``.
    ``beside`` are the fields that no record has: of each block they are given with it.
    """

    beside: Sequence[tuple[str, bytes]]
    """What stands beside records, field by field, and the text with which its column is to begin."""

    def __init__(
        self,
        literals: Sequence[str],
        names: Sequence[str],
        encode: Callable[[object], str],
        encode_column: Callable[[Sequence[object]], Iterable[str]],
        quote: str,
        beside: Collection[str] = (),
    ) -> None:
        self._encode = encode
        self._encode_column = encode_column
        self._quote = quote.encode()
        self._nothing = to_bytes(encode(None))
        self._new: list[str] = []
        self._derived: dict[str, Derive] = {}
        self._patterns = [""]
        self._shared: list[list[str]] = [[]]
        for literal, name in zip(literals, [*names, None], strict=True):
            self._patterns[-1] += literal.replace("%", "%%")
            derived = None if name is None else derive(name)
            if name is not None and derived is not None:
                self._derived[name] = derived
            if name is not None and (name in _NEW or name in self._derived or name in beside):
                self._new.append(name)
                self._patterns.append("")
                self._shared.append([])
            elif name is not None and name not in SHARED:  # a ban has it, and here is none
                self._patterns[-1] += encode(None).replace("%", "%%")
            elif name is not None:
                self._patterns[-1] += "%s"
                self._shared[-1].append(name)
        both = zip(self._patterns, self._shared, strict=True)
        fixed = [None if names else to_bytes(pattern % ()) for pattern, names in both]
        # The gaps of a line, and what stands before, between and behind them, if it is the same in all lines.
        self._gaps: list[str] = []
        self._fixed = fixed[:1]
        self.beside = []
        for name, text in zip(self._new, fixed[1:], strict=True):
            if name == "resolved_at":
                self._fixed[-1] = None
            else:
                if name in beside:
                    self.beside.append((name, self._fixed[-1] or b""))
                    self._fixed[-1] = None if self._fixed[-1] is None else b""
                self._gaps.append(name)
                self._fixed.append(text)
        self._known: dict[Shared, _Pieces] = {}
        # The answers of the last block, which may be the next one's too, and more of them by then; and what
        # stands before, between and behind the gaps of each.
        self._answers: Sequence[Shared] = ()
        self._rendered: list[list[bytes]] = [[] for _ in self._fixed]

    def data(self, block: RecordBatch, beside: Iterable[Iterable[bytes]] = ()) -> bytes:
        """The lines of all records, in UTF-8, with the columns of what stands ``beside`` each."""
        self._render(block.answers)
        following = iter(beside)
        columns = list[Iterable[bytes]]()
        for rendered, fixed, name in zip_longest(self._rendered, self._fixed, self._gaps):
            if fixed is None:
                columns.append(map(rendered.__getitem__, block.numbers))
            elif fixed:
                columns.append(repeat(fixed, len(block.ips)))
            if name in self._derived:
                columns.append(self._worked_out(self._derived[name], block.ips))
            elif name in _NEW:
                columns.append(self._gap(block.ips if name == "ip" else block.networks))
            elif name is not None:
                columns.append(next(following))
        return b"".join(chain.from_iterable(zip(*columns, strict=True)))

    def _gap(self, column: Sequence[str | None]) -> Sequence[bytes]:
        """What stands in a gap of each line: an address, a network, or nothing."""
        missing: list[int] = []
        try:
            text = "\n".join(cast("Sequence[str]", column))
        except TypeError:
            missing = [index for index, value in enumerate(column) if value is None]
            text = "\n".join([value or "" for value in column])
        joined = to_bytes(text)
        if joined.translate(None, PLAIN + b"\n") or joined.count(b"\n") != len(column) - 1:
            return list(map(to_bytes, self._encode_column(column)))
        if self._quote:
            joined = self._quote + joined.replace(b"\n", self._quote + b"\n" + self._quote) + self._quote
        texts = joined.split(b"\n")
        for index in missing:
            texts[index] = self._nothing
        return texts

    def _worked_out(self, derive: Derive, ips: Sequence[str]) -> Iterable[bytes]:
        """A derived field of each line: most have one of few values."""
        values = derive(ips)
        texts = {value: to_bytes(self._encode(value)) for value in {*values}}
        return map(texts.__getitem__, values)

    def _render(self, answers: Sequence[Shared]) -> None:
        """Render those of these answers that are new."""
        is_known = answers is self._answers
        if not is_known:
            self._answers, self._rendered = answers, [[] for _ in self._fixed]
        new = answers[len(self._rendered[0]) :]
        if not new:
            return
        # What comes to a list that grows was in none of its blocks before.
        first, *others = zip(*(self._made(new, SHARED) if is_known else self._pieces(new)), strict=True)
        columns: list[Iterable[bytes]] = [first]
        for name, pieces in zip(self._new, others, strict=True):
            if name == "resolved_at":
                times = map(to_bytes, self._encode_column([answer[RESOLVED_AT] for answer in new]))
                columns[-1] = map(b"".join, zip(columns[-1], times, pieces, strict=True))
            else:
                columns.append(pieces)
        for rendered, column in zip(self._rendered, columns, strict=True):
            rendered += _each_once(column)

    def _pieces(self, answers: Sequence[Shared]) -> Sequence[_Pieces]:
        known = self._known
        keys = list(map(_timeless, answers))
        found = [pieces for key in keys if (pieces := known.get(key)) is not None]
        if len(found) == len(keys):
            return found
        new = [key for key in keys if key not in known]
        if len(known) + len(new) > _MOST_REMEMBERED:
            known.clear()
            new = keys
        known.update(zip(new, self._made(new, _TIMELESS), strict=True))
        return [known[key] for key in keys]

    def _made(self, answers: Sequence[Shared], names: Sequence[str]) -> Iterable[_Pieces]:
        """The pieces of answers, or parts of answers, whose values have these names."""
        columns = dict(zip(names, zip(*answers, strict=True), strict=True))
        texts = {name: list(self._encode_column(columns[name])) for names in self._shared for name in names}
        made: list[Iterable[bytes]] = [
            _each_once(
                map(to_bytes, map(pattern.__mod__, zip(*(texts[name] for name in names), strict=True)))
            )
            if names
            else repeat(to_bytes(pattern % ()), len(answers))
            for pattern, names in zip(self._patterns, self._shared, strict=True)
        ]
        return zip(*made, strict=True)


def _each_once(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """The same, equal ones as one. What follows the network is the same in most lines."""
    known: dict[bytes, bytes] = {}
    return [known.setdefault(piece, piece) for piece in pieces]
