"""Segments as text: one batch of answers, or of bans, what many have in common written once.

A header line says what it is. The body is a JSON object of columns. Of answers, each address has the number
of its answer, and answers are all fields but address and network. Bans are columns as they are, where a
column that has one value for all of them is written once. A third of the size of the records, and quicker to
write and to read.
"""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.journal import BANS_TAG, BadSegmentError
from geocli.records import FIELDS, Batch, check_rows
from geocli.seen import SEEN_FIELDS, check_bans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.records import GeoRecord
    from geocli.seen import SeenBan

VERSION = 1
_ANSWERS, _BANS = "answers", "bans"
_HEADERS = {kind: json.dumps({"geocli-journal": VERSION, "kind": kind}) for kind in (_ANSWERS, _BANS)}
_IP, _NETWORK = FIELDS.index("ip"), FIELDS.index("network")
_ANSWER = tuple(index for index in range(len(FIELDS)) if index not in {_IP, _NETWORK})
_answer_of = itemgetter(*_ANSWER)
_MOST = 100_000  # bans that a segment may say it has: where all are alike, the text does not bound them


class NewerSegmentError(Exception):
    """A segment was written by a newer geocli."""


class Segment(NamedTuple):
    """One batch as the journal keeps it: its text, and a tag.

    That is, of answers, all addresses between spaces; of bans, how many there are.
    """

    value: str
    tag: str


def encode(records: Sequence[GeoRecord]) -> Segment:
    """A segment of these records."""
    numbers: dict[tuple[object, ...], int] = {}
    body = {
        "ip": [record.ip for record in records],
        "network": [record.network for record in records],
        "answer": [numbers.setdefault(answer, len(numbers)) for answer in map(_answer_of, records)],
        "answers": list(numbers),
    }
    return Segment(_text(_ANSWERS, body), f" {' '.join([record.ip for record in records])} ")


def encode_bans(bans: Sequence[SeenBan]) -> Segment:
    """A segment of these bans, at most 100,000."""
    columns = dict(zip(SEEN_FIELDS, zip(*bans, strict=True), strict=True))
    body: dict[str, object] = {"count": len(bans)}
    body |= {name: column[0] if len({*column}) == 1 else column for name, column in columns.items()}
    return Segment(_text(_BANS, body), f"{BANS_TAG}{len(bans)}")


def _text(kind: str, body: dict[str, object]) -> str:
    return f"{_HEADERS[kind]}\n{json.dumps(body, ensure_ascii=False, separators=(',', ':'))}"


def decode(text: str) -> Batch:
    """What a segment's text holds, as checked rows.

    Raises ``BadSegmentError`` for anything that geocli did not write, ``NewerSegmentError``.
    """
    head, _, body = text.partition("\n")
    try:
        header = json.loads(head)
        if not isinstance(header, dict):
            raise BadSegmentError("the header is not geocli's")
        version, kind = header.get("geocli-journal"), header.get("kind")
        if isinstance(version, int) and version > VERSION:
            raise NewerSegmentError
        if kind == _ANSWERS:
            rows = _rows(json.loads(body))
            check_rows(rows)
            return Batch(answers=rows)
        if kind == _BANS:
            rows = _ban_rows(json.loads(body))
            check_bans(rows)
            return Batch(bans=rows)
    except (ValueError, RecursionError, TypeError, LookupError, AttributeError) as error:
        raise BadSegmentError(str(error)) from None
    raise BadSegmentError("the header is not geocli's")


def _rows(columns: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    answers = [tuple(answer) for answer in columns["answers"]]
    if set(map(len, answers)) - {len(_ANSWER)}:
        raise BadSegmentError(f"an answer does not have {len(_ANSWER)} values")
    numbers = columns["answer"]
    if {*map(type, numbers)} - {int} or (numbers and min(numbers) < 0):
        raise BadSegmentError("an answer's number is none")
    return [
        (ip, *answer[: _NETWORK - 1], network, *answer[_NETWORK - 1 :])
        for ip, network, answer in zip(
            columns["ip"], columns["network"], map(answers.__getitem__, numbers), strict=True
        )
    ]


def _ban_rows(body: dict[str, Any]) -> list[tuple[Any, ...]]:
    count = body["count"]
    if type(count) is not int or not 0 <= count <= _MOST:
        raise BadSegmentError("the number of bans is none")
    columns = [column if isinstance(column := body[name], list) else [column] * count for name in SEEN_FIELDS]
    if {*map(len, columns)} != {count}:
        raise BadSegmentError("columns are not of one length")
    return list(zip(*columns, strict=True))
