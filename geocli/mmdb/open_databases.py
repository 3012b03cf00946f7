"""Open databases, asked together: what they say about addresses and networks, as one answer each.

A few addresses are each asked about, many are walked through the search trees (``search_tree``), which gives
the same.
"""

from __future__ import annotations

import marshal
from ipaddress import ip_network
from itertools import repeat
from typing import TYPE_CHECKING, Any, cast

from geocli.mmdb.layouts import agreement, answer_of, merge
from geocli.mmdb.reader import network_text
from geocli.model.addresses import families, is_network
from geocli.model.record_batch import MOST_SHARED, RecordBatch, arranged, shared_of
from geocli.model.records import NOTHING, Answer, record_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from geocli.mmdb.networks import Network, Wanted
    from geocli.mmdb.reader import Database
    from geocli.mmdb.search_tree import Forest
    from geocli.model.record_batch import Shared
    from geocli.model.records import GeoRecord, Status

    _Ask = Callable[[Database, Sequence[str]], Iterator[tuple[Answer, int]]]

_MOST_PARTS = 4096
"""A network is asked about in at most so many parts; one that has more has no single answer."""

_MOST_UNDERSTOOD = 4_000  # records kept by what is in them: some 2 MB
_MANY = 6_000  # addresses after which the search tree is worth being made ready
_SOME = 100  # addresses from which on they are worth being put into columns
_LARGEST_UNDERSTOOD = 4096  # bytes: a file whose records are all as large as can be is not worth a gigabyte
_MARSHAL_WITHOUT_REFERENCES = 2  # from version 3 on, equal values may give different bytes
_UNKNOWN = 0  # where "unknown" stands among the answers that were learned


class OpenDatabases:
    """Asks every file and merges what they say.

    ``source`` is what the records carry. ``system_from`` is the place of the database that leads where it is
    about who holds an address.
    """

    def __init__(self, databases: Sequence[Database], source: str, system_from: int) -> None:
        self._databases = databases
        self._system_from = system_from
        self.source = source
        self._understood: dict[bytes, Answer] = {}
        self._asked = 0
        self._forest: Forest | None = None
        self._learned: list[Shared] = []
        self._numbers: dict[Any, int] = {}  # where in this list the answer is that a pointer leads to

    def records(self, targets: Sequence[str], resolved_at: str) -> list[GeoRecord]:
        """One record for each target, in order, ``ok`` or ``unknown``. Raises ``DamagedFileError``."""
        source = self.source
        asked = targets
        if any(":" in target for target in targets):
            from geocli.model.reserved import inner_ipv4  # most look-ups have no IPv6

            asked = [inner_ipv4(target) or target if ":" in target else target for target in targets]
        # A network is asked about by its first address first.
        answers = self.find([target.partition("/")[0] for target in asked])
        found = map(self._found, asked, answers)
        return [
            record_of(target, _status(answer), answer, network, source, resolved_at)
            for target, (answer, network) in zip(targets, found, strict=True)
        ]

    def batch(self, targets: Sequence[str], resolved_at: str) -> RecordBatch:
        """The same by column, as quick as can be where there are many. Raises ``DamagedFileError``."""
        self._asked += len(targets)
        if self._forest is None and self._asked > _MANY:
            self._forest = self._planted()
        if self._forest is None and len(targets) < _SOME:
            return RecordBatch.of(self.records(targets, resolved_at))
        parts = families(targets)
        blocks = [
            self._walked(addresses, resolved_at, version)
            if self._forest is not None
            else self._asked_each(addresses, resolved_at, version)
            for addresses, version in ((parts.v4, 4), (parts.v6, 6))
            if addresses
        ]
        if parts.others:
            blocks.append(RecordBatch.of(self.records(parts.others, resolved_at)))
        return arranged(blocks, targets) if blocks else RecordBatch.of([])

    def networks(
        self, wanted: Wanted, versions: Sequence[int], tell: Callable[[int], None] = lambda _: None
    ) -> Iterator[Network]:
        """All networks whose answers have what is wanted, in order.

        The answers are those of look-ups, of country, AS and holder. ``tell`` hears how many records of a
        file were read. Raises ``GeocliError``.
        """
        from geocli.mmdb.networks import Walk  # look-ups do without

        yield from Walk(self._databases, wanted, versions, tell, self._system_from).networks()

    def _planted(self) -> Forest | None:
        from geocli.mmdb.search_tree import Forest  # only where there are many

        trees = [tree for database in self._databases if (tree := database.tree()) is not None]
        return Forest(trees) if len(trees) == len(self._databases) else None

    def _asked_each(self, addresses: Sequence[str], resolved_at: str, version: int) -> RecordBatch:
        """The answers about addresses of one family, each asked about."""
        from geocli.mmdb.search_tree import network_texts, network_texts_v6

        found = list(self.find(addresses))
        order: dict[Answer, int] = {}
        chosen = [order.setdefault(answer, len(order)) for answer, _ in found]
        texts_of = network_texts if version == 4 else network_texts_v6
        texts = texts_of(addresses, [prefix for _, prefix in found])
        pairs = zip(found, texts, strict=True)
        networks = [None if answer is NOTHING else text for (answer, _), text in pairs]
        source = self.source
        shared = [shared_of(_status(answer), answer, source, resolved_at) for answer in order]
        return RecordBatch(addresses, networks, chosen, shared)

    def _walked(self, addresses: Sequence[str], resolved_at: str, version: int) -> RecordBatch:
        """The answers about addresses of one family by way of the search trees."""
        forest = self._forest
        assert forest is not None  # noqa: S101 (for mypy)
        try:
            pointers, found = forest.find(addresses) if version == 4 else forest.find_v6(addresses)
        except IndexError:
            return RecordBatch.of(self.records(addresses, resolved_at))  # finds out which file is damaged
        numbers = self._followed(pointers, addresses, (self.source, resolved_at))
        networks: list[str | None] = [*found]
        if _UNKNOWN in numbers:
            for index in [index for index, number in enumerate(numbers) if number == _UNKNOWN]:
                networks[index] = None
        return RecordBatch(addresses, networks, numbers, self._learned)

    def _followed(
        self, pointers: Sequence[Any], addresses: Sequence[str], last: tuple[str, str]
    ) -> Sequence[int]:
        """Where each address's answer is among those learned, all of which end with ``last``."""
        is_full = len(self._learned) + len(pointers) > MOST_SHARED
        unknown = shared_of("unknown", NOTHING, *last)
        if is_full or self._learned[:1] != [unknown]:
            # Not cleared: blocks share the old list.
            self._learned, self._numbers = [unknown], {}
        learned, numbers = self._learned, self._numbers
        found = list(map(numbers.get, pointers))
        if None not in found:
            return cast("list[int]", found)
        left = [index for index, number in enumerate(found) if number is None]
        new = {pointers[index]: addresses[index] for index in left}
        # In one file each leads to other data: that is not worth being compared with what was understood.
        ask = self._each if len(self._databases) == 1 else self._answers
        for pointer, (answer, _) in zip(new, self._merged(list(new.values()), ask), strict=True):
            if answer is NOTHING:
                numbers[pointer] = _UNKNOWN
            else:
                numbers[pointer] = len(learned)
                learned.append(shared_of("ok", answer, *last))
        for index in left:
            found[index] = numbers[pointers[index]]
        return cast("list[int]", found)

    def _found(self, target: str, answered: tuple[Answer, int]) -> tuple[Answer, str | None]:
        """A target's answer, and the network that they hold for."""
        answer, prefix = answered
        network = None
        if is_network(target):
            answer, network = self._network(target, answer, prefix)
        elif answer is not NOTHING:
            network = network_text(target, prefix)
        return answer, network

    def find(self, addresses: Sequence[str]) -> Iterator[tuple[Answer, int]]:
        """Yield each address's answer (``NOTHING`` itself when there is none) and how long its prefix is.

        With several files, the longest: only there do all of them say this.
        """
        yield from self._merged(addresses, self._answers)

    def _merged(self, addresses: Sequence[str], answers: _Ask) -> Iterator[tuple[Answer, int]]:
        first, *others = map(answers, self._databases, repeat(addresses))
        if not others:
            yield from first
        else:
            system_from = self._system_from
            for found in zip(first, *others, strict=True):
                merged = merge([answer for answer, _ in found], system_from)
                yield NOTHING if merged == NOTHING else merged, max(prefix for _, prefix in found)

    def _answers(self, database: Database, addresses: Sequence[str]) -> Iterator[tuple[Answer, int]]:
        """One database's answers: ``answer_of``, once for all addresses that have the same record."""
        understood, dumps = self._understood, marshal.dumps
        for data, prefix in database.find(addresses):
            if not data:
                yield NOTHING, prefix
                continue
            key = dumps(data, _MARSHAL_WITHOUT_REFERENCES)
            answer = understood.get(key)
            if answer is None:
                if len(understood) >= _MOST_UNDERSTOOD:
                    understood.clear()
                answer = answer_of(data) if isinstance(data, dict) else NOTHING
                answer = NOTHING if answer == NOTHING else answer
                if len(key) <= _LARGEST_UNDERSTOOD:
                    understood[key] = answer
            yield answer, prefix

    @staticmethod
    def _each(database: Database, addresses: Sequence[str]) -> Iterator[tuple[Answer, int]]:
        """The same, for what hardly ever has the same record."""
        for data, prefix in database.find(addresses):
            answer = answer_of(data) if isinstance(data, dict) else NOTHING
            yield NOTHING if answer == NOTHING else answer, prefix

    def _network(self, target: str, answer: Answer, prefix: int) -> tuple[Answer, str | None]:
        """What all parts of a network agree on; where they differ, it is not known.

        ``answer`` and ``prefix`` are those of its first address. Parts that nobody knows anything about do
        not count as differing.
        """
        network = ip_network(target)
        address, last = network.network_address, int(network.broadcast_address)
        if prefix <= network.prefixlen:
            return answer, None if answer is NOTHING else network_text(str(address), prefix)
        agreed = answer
        for _ in range(_MOST_PARTS):
            following = (int(address) | ((1 << (network.max_prefixlen - prefix)) - 1)) + 1
            if following > last:
                return agreed, None if agreed is NOTHING else target
            address = type(address)(following)
            ((answer, prefix),) = self.find([str(address)])
            if answer is not NOTHING:
                agreed = answer if agreed is NOTHING else agreement(agreed, answer)
                if agreed is NOTHING:
                    break
        return NOTHING, None


def _status(answer: Answer) -> Status:
    return "unknown" if answer is NOTHING else "ok"
