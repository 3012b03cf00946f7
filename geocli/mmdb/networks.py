"""The networks that databases have of a country, an AS or a holder: their search trees walked to the end.

Of each tree is found out first what there is below each of its nodes, so that the walk, which goes through
all trees together, passes over what has none of it. Nodes may stand in several places of a tree: what was
found out of one serves everywhere. Nothing in a file is trusted: a tree without end, or with more networks
than can be, is damaged.
"""

from __future__ import annotations

from array import array
from itertools import islice
from socket import AF_INET, AF_INET6, inet_ntop
from typing import TYPE_CHECKING, NamedTuple

from geocli.mmdb.layouts import answer_of, merge
from geocli.model.errors import DamagedFileError, TryAgainError
from geocli.model.ranges import BITS, blocks
from geocli.model.records import NOTHING, Answer
from geocli.model.reserved import public_ranges

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from socket import AddressFamily

    from geocli.mmdb.reader import Database

_COUNTRY, _SYSTEM, _HOLDER = 1, 2, 4
_AT_ONCE = 4096  # records that are read together
_DEEPEST = 128
_MOST_MERGED = 1 << 16  # answers of several files that are kept: some 10 MB
_MOST_STEPS = 1 << 26  # through the trees: the largest databases take a fifth of it


class Wanted(NamedTuple):
    """What networks have to have: one of each of these that is not empty. ``names`` are parts of a holder's.

    Countries are codes, names are in lower case (``casefold``).
    """

    countries: frozenset[str] = frozenset()
    asns: frozenset[int] = frozenset()
    names: tuple[str, ...] = ()

    @property
    def kinds(self) -> int:
        """What is asked for, as bits."""
        given = ((_COUNTRY, self.countries), (_SYSTEM, self.asns), (_HOLDER, self.names))
        return sum(bit for bit, values in given if values)

    def kinds_of(self, answer: Answer) -> int:
        """What of it an answer has, as bits."""
        found = _COUNTRY if answer.country_code in self.countries else 0
        found |= _SYSTEM if answer.asn in self.asns else 0
        return found | (_HOLDER if self.names_in(answer) else 0)

    def names_in(self, answer: Answer) -> list[str]:
        """The names that are part of the holder's."""
        org = (answer.org or "").casefold() if self.names else ""
        return [name for name in self.names if name in org]


class Network(NamedTuple):
    """Addresses of one version of IP, from ``first`` to ``last``, as numbers, and the answer about them.

    Of the answer, only country, AS and holder.
    """

    version: int
    first: int
    last: int
    answer: Answer


class _Part(NamedTuple):
    """A network that is walked through: its first address, and how long its prefix is."""

    version: int
    first: int
    length: int


class Walk:
    """Walks through the trees of some databases, which are asked together."""

    def __init__(
        self,
        databases: Sequence[Database],
        wanted: Wanted,
        versions: Sequence[int],
        tell: Callable[[int], None],
        system_from: int = 0,
    ) -> None:
        """Read the records of these versions of IP; ``tell`` hears how many were.

        ``system_from`` is as in ``merge``. Raises ``GeocliError``.
        """
        # Public space only: about other addresses no database is asked.
        self._parts = [
            _Part(version, begin, length)
            for version in versions
            for first, last in public_ranges(version)
            for begin, length in blocks(first, last, BITS[version])
        ]
        self._trees = [_Survey(database, self._parts, wanted, tell) for database in databases]
        self._wanted = wanted
        self._system_from = system_from
        self._merged: dict[tuple[int, ...], Answer | None] = {}
        self._steps = 0

    def networks(self) -> Iterator[Network]:
        """The networks whose merged answers have what is wanted, in order. Raises ``DamagedFileError``."""
        for (version, begin, length), *nodes in zip(
            self._parts, *(tree.starts for tree in self._trees), strict=True
        ):
            bits = BITS[version]
            for value, depth, answer in self._below(tuple(nodes), begin, length, bits):
                yield Network(version, value, value | (1 << bits - depth) - 1, answer)

    def _below(
        self, nodes: tuple[int, ...], value: int, depth: int, bits: int
    ) -> Iterator[tuple[int, int, Answer]]:
        """What has what is wanted below these nodes, one of each tree: address, prefix length, answer."""
        trees = [(tree.records, tree.empty, tree.below, tree.kinds) for tree in self._trees]
        needed = self._wanted.kinds
        waiting = [(nodes, value, depth)]
        while waiting:
            nodes, value, depth = waiting.pop()
            kinds, is_inside = 0, False
            for (_, empty, below, kinds_of), node in zip(trees, nodes, strict=True):
                if node < empty:
                    kinds |= below[node]
                    is_inside = True
                else:
                    kinds |= kinds_of[node - empty]
            if kinds != needed:
                continue
            if not is_inside:
                if (answer := self._answer(nodes)) is not None:
                    yield value, depth, answer
                continue
            self._steps += 1
            if depth == bits or self._steps > _MOST_STEPS:
                raise next(
                    tree.damage for tree, node in zip(self._trees, nodes, strict=True) if node < tree.empty
                )
            halves = [
                (records[2 * node], records[2 * node + 1]) if node < empty else (node, node)
                for (records, empty, _, _), node in zip(trees, nodes, strict=True)
            ]
            left, right = zip(*halves, strict=True)
            depth += 1
            waiting.append((right, value | 1 << bits - depth, depth))
            waiting.append((left, value, depth))

    def _answer(self, records: tuple[int, ...]) -> Answer | None:
        """The merged answer of these records, if it has what is wanted."""
        try:
            return self._merged[records]
        except KeyError:
            pass
        answers = [
            tree.answers[record - tree.empty] for tree, record in zip(self._trees, records, strict=True)
        ]
        merged = answers[0] if len(answers) == 1 else merge(answers, self._system_from)
        answer = merged if self._wanted.kinds_of(merged) == self._wanted.kinds else None
        if len(self._merged) >= _MOST_MERGED:
            self._merged.clear()
        self._merged[records] = answer
        return answer


class _Survey:
    """One file's tree with what there is below each of its nodes. Its records are numbers of answers."""

    def __init__(
        self, database: Database, parts: Sequence[_Part], wanted: Wanted, tell: Callable[[int], None]
    ) -> None:
        tree = database.tree()
        path = database.description.path
        self.damage = DamagedFileError(
            path, "is damaged: its search tree leads nowhere", "give another file, or get it again"
        )
        if tree is None:
            raise TryAgainError(f"{path}: was replaced, or is too large for the memory there is; try again")
        self.records, self.empty = tree.records, tree.empty
        self.bits = 128 if database.is_ipv6 else 32
        roots = {4: self._descend(0, 0, self.bits - 32), 6: 0 if self.bits == 128 else self.empty}
        starts = [
            self._descend(roots[version], first >> BITS[version] - length, length)
            for version, first, length in parts
        ]
        family = AF_INET6 if self.bits == 128 else AF_INET
        leaves = self._leaves(parts, starts, family)
        numbers, self.answers = _read(database, leaves, self.empty, tell)
        """Those that differ, by the number of their record behind ``empty``."""
        self.kinds = bytes(map(wanted.kinds_of, self.answers))
        """Which kinds each of them has."""
        self.starts = [start if start < self.empty else numbers[start] for start in starts]
        """Where the parts begin: a node, or a record."""
        self._renumber(numbers)
        self.below = bytearray(self.empty)
        """By node, the kinds that the answers below it have."""
        self._spread()

    def _descend(self, node: int, value: int, bits: int) -> int:
        """Where the ``bits`` bits of ``value`` lead from a node."""
        for shift in range(bits - 1, -1, -1):
            if node >= self.empty:
                break
            node = self.records[2 * node + (value >> shift & 1)]
        return node

    def _leaves(
        self, parts: Sequence[_Part], starts: Sequence[int], family: AddressFamily
    ) -> Iterator[tuple[int, str]]:
        """Each record that leads to data, with an address that leads to it."""
        records, empty, size = self.records, self.empty, self.bits // 8
        seen, seen_nodes = {empty}, bytearray(empty)
        for (version, first, length), start in zip(parts, starts, strict=True):
            waiting = [(start, first, BITS[version] - length)]
            while waiting:
                record, value, left = waiting.pop()
                if record >= empty:
                    if record not in seen:
                        seen.add(record)
                        yield record, inet_ntop(family, value.to_bytes(size))
                elif not seen_nodes[record]:
                    seen_nodes[record] = 1
                    if not left:
                        raise self.damage
                    left -= 1
                    waiting.append((records[2 * record + 1], value | 1 << left, left))
                    waiting.append((records[2 * record], value, left))

    def _renumber(self, numbers: Mapping[int, int]) -> None:
        """Put the numbers of answers in the places of records; those that no part has are of no interest."""
        records, empty, number_of = self.records, self.empty, numbers.get
        for begin in range(0, len(records), _AT_ONCE):
            records[begin : begin + _AT_ONCE] = array(
                "I",
                [
                    record if record < empty else number_of(record, empty)
                    for record in records[begin : begin + _AT_ONCE]
                ],
            )

    def _spread(self) -> None:
        """Give each node the kinds of what is below it."""
        records, empty, found, kinds_of = self.records, self.empty, self.below, self.kinds
        # Nearly always, nodes stand before what is below them, and one round is enough.
        for _ in range(_DEEPEST):
            is_ordered = is_done = True
            for node in range(empty - 1, -1, -1):
                left, right = records[2 * node], records[2 * node + 1]
                if left <= node or right <= node:
                    is_ordered = False
                kinds = found[left] if left < empty else kinds_of[left - empty]
                kinds |= found[right] if right < empty else kinds_of[right - empty]
                if kinds != found[node]:
                    found[node] = kinds
                    is_done = False
            if is_ordered or is_done:
                break


def _read(
    database: Database, leaves: Iterator[tuple[int, str]], empty: int, tell: Callable[[int], None]
) -> tuple[dict[int, int], list[Answer]]:
    """Read each record once. Return the number of each one's answer, and the answers, from ``empty`` on.

    Raises ``GeocliError``.
    """
    numbers, different = {empty: empty}, {NOTHING: empty}
    while part := list(islice(leaves, _AT_ONCE)):
        for (record, _), data in zip(part, database.read(part), strict=True):
            full = answer_of(data) if data and isinstance(data, dict) else NOTHING
            answer = Answer(full.country_code, asn=full.asn, org=full.org)
            numbers[record] = different.setdefault(answer, empty + len(different))
        tell(len(numbers))
    return numbers, list(different)
