"""What an index has to know of a segment: about which addresses it has answers, and of what kinds these are.

A journal of a million answers takes a second to read and check, so that is done on all processors.
"""

from __future__ import annotations

import json
from array import array
from typing import TYPE_CHECKING, Any, TypeAlias

from geocli.model.record_batch import SHARED
from geocli.storage.journal.index import prints_of
from geocli.system.process_pool import WorkerFailedError, Workers, processors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from geocli.model.record_batch import RecordBatch
    from geocli.model.records import Status

Kind: TypeAlias = "tuple[Status, str | None, str | None]"
"""Status, source and time of an answer."""

Digest: TypeAlias = list[tuple[Kind, list[int]]]
"""The kinds of a segment's answers, and of each what ``prints_of`` gives of the addresses."""

_STATUS, _SOURCE, _RESOLVED_AT = map(SHARED.index, ("status", "source", "resolved_at"))
_MANY = 32  # segments for which workers pay for themselves
_TOGETHER = 4  # segments that are one task


def digest(batch: RecordBatch) -> Digest:
    """Return what an index has to know of these answers."""
    kinds = [(answer[_STATUS], answer[_SOURCE], answer[_RESOLVED_AT]) for answer in batch.answers]
    if len({*kinds}) == 1:
        return [(kinds[0], prints_of(batch.ips))]
    addresses: dict[Kind, list[str]] = {}
    for ip, number in zip(batch.ips, batch.numbers, strict=True):
        addresses.setdefault(kinds[number], []).append(ip)
    return [(kind, prints_of(those)) for kind, those in addresses.items()]


def digests(
    keys: Sequence[int], read: Callable[[int], RecordBatch], close: Callable[[], None]
) -> Iterator[Digest]:
    """Those of the segments with these keys, in order, each read by ``read``, in workers if there are many.

    Then ``close`` lets go of the journal's files first: a child may not share a database that is open.
    """
    done = 0
    if len(keys) >= _MANY and processors() > 1:
        close()
        try:
            with Workers(lambda task: _to_parts([digest(read(key)) for key in json.loads(task)])) as workers:
                given = 0
                while done < len(keys):
                    while workers.has_room and given < len(keys):
                        workers.give(json.dumps(keys[given : given + _TOGETHER]).encode())
                        given += _TOGETHER
                    for one in _from_bytes(workers.take()):
                        yield one
                        done += 1
        except WorkerFailedError:  # whatever it met is met again below, where it can be told
            pass
    for key in keys[done:]:
        yield digest(read(key))


def _to_parts(several: Sequence[Digest]) -> list[bytes]:
    head = [[(kind, len(prints)) for kind, prints in one] for one in several]
    parts = [array("q", prints).tobytes() for one in several for _, prints in one]
    return [json.dumps(head).encode() + b"\n", *parts]


def _from_bytes(data: bytes | bytearray) -> Iterator[Digest]:
    begin = data.index(b"\n") + 1
    head: list[list[tuple[Any, int]]] = json.loads(data[:begin])
    prints = memoryview(data)[begin:]
    for one in head:
        parts: Digest = []
        for kind, size in one:
            part, prints = prints[: 8 * size], prints[8 * size :]
            parts.append((tuple(kind), array("q", bytes(part)).tolist()))
        yield parts
