"""Segments as text: one batch of answers, or of bans, what many have in common written once.

A header line says what it is. The body is a JSON object of columns. Of answers, each address has the number
of its answer, and answers are the values of ``fields``, which are all but address and network.
Bans are columns as they are, where a
column that has one value for all of them is written once. A third of the size of the records, and quicker to
write and to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.model.record_batch import SHARED, RecordBatch
from geocli.model.value import Value
from geocli.storage.batch import BadSegmentError, Batch, NewerSegmentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geocli.model.bans import SeenBan


VERSION = 2
"""2 names the fields of answers; 1 has those of ``_FIRST_FIELDS``. Both are read for ever."""

_FIRST_FIELDS = (
    "status", "country_code", "country_name", "region", "city", "latitude", "longitude", "asn", "org",
    "source", "resolved_at",
)  # fmt: skip
_ANSWERS, _BANS = "answers", "bans"
_COLUMNS = ("ip", "network", "answer", "answers")  # of a RecordBatch
MOST_BANS = 100_000
"""Bans that a segment may say it has: where all are alike, the text does not bound them."""


class Segment(Value):
    """One batch as the journal keeps it: its text, and a tag.

    That is, of answers, all addresses between spaces; of bans, how many there are.
    """

    value: str
    tag: str


def encode(block: RecordBatch) -> Segment:
    """A segment of these records."""
    ips, networks, numbers, answers = block.compact()
    body = {"ip": ips, "network": networks, "answer": numbers, "fields": SHARED, "answers": answers}
    return Segment(_text(_ANSWERS, body), f" {' '.join(ips)} ")


def encode_bans(bans: Sequence[SeenBan]) -> Segment:
    """A segment of these bans, at most 100,000."""
    from geocli.model.bans import SEEN_FIELDS  # answers do without
    from geocli.storage.journal.rows import BANS_TAG

    columns = dict(zip(SEEN_FIELDS, zip(*bans, strict=True), strict=True))
    body: dict[str, object] = {"count": len(bans)}
    body |= {name: column[0] if len({*column}) == 1 else column for name, column in columns.items()}
    return Segment(_text(_BANS, body), f"{BANS_TAG}{len(bans)}")


def _text(kind: str, body: Mapping[str, object]) -> str:
    import json  # an idle flush does without

    header = json.dumps({"geocli-journal": VERSION, "kind": kind})
    return f"{header}\n{json.dumps(body, ensure_ascii=False, separators=(',', ':'))}"


def decode(text: str) -> Batch:
    """What a segment's text holds, checked.

    Raises ``BadSegmentError`` for anything that geocli did not write, ``NewerSegmentError``.
    """
    import json  # the same

    head, _, body = text.partition("\n")
    try:
        header = json.loads(head)
        if not isinstance(header, dict):
            raise BadSegmentError("the header is not geocli's")
        version, kind = header.get("geocli-journal"), header.get("kind")
        if type(version) is not int or version < 1:
            raise BadSegmentError("the header is not geocli's")
        if version > VERSION:
            raise NewerSegmentError
        if kind == _ANSWERS:
            return Batch(_records(json.loads(body), version))
        if kind == _BANS:
            return Batch(bans=_ban_rows(json.loads(body)))
    except (ValueError, RecursionError, TypeError, LookupError, AttributeError) as error:
        raise BadSegmentError(str(error)) from None
    raise BadSegmentError("the header is not geocli's")


def decode_own(segment: Segment) -> RecordBatch:
    """The answers of a segment that this process has made, or had made: there is nothing to be checked."""
    import json  # the same

    head, _, body = segment.value.partition("\n")
    if json.loads(head)["kind"] != _ANSWERS:
        return RecordBatch.of([])
    columns = json.loads(body)
    ips, networks, numbers, answers = (columns[name] for name in _COLUMNS)
    return RecordBatch(ips, networks, numbers, list(map(tuple, answers)))


def _records(columns: dict[str, list[Any]], version: int) -> RecordBatch:
    ips, networks, numbers, answers = (columns[name] for name in _COLUMNS)
    fields = _FIRST_FIELDS if version == 1 else tuple(columns["fields"])
    if not set(fields) <= set(SHARED):
        raise NewerSegmentError  # which knew more about an address: it is not to be lost
    if {*map(len, answers)} - {len(fields)}:
        raise BadSegmentError("an answer does not have a value for each field")
    if fields != SHARED:
        answers = [list(map(dict(zip(fields, answer, strict=True)).get, SHARED)) for answer in answers]
    block = RecordBatch(ips, networks, numbers, list(map(tuple, answers)))
    block.check()
    return block


def _ban_rows(body: dict[str, Any]) -> list[tuple[Any, ...]]:
    from geocli.model.bans import SEEN_FIELDS, SeenBan, check_bans  # the same

    count = body["count"]
    if type(count) is not int or not 0 <= count <= MOST_BANS:
        raise BadSegmentError("the number of bans is none")
    if not body.keys() <= {"count", *SEEN_FIELDS}:
        raise NewerSegmentError  # the same
    named = SeenBan._field_defaults | body
    values = [named[name] for name in SEEN_FIELDS]
    columns = [value if isinstance(value, list) else [value] * count for value in values]
    if {*map(len, columns)} != {count}:
        raise BadSegmentError("columns are not of one length")
    rows = list(zip(*columns, strict=True))
    check_bans(rows)
    return rows
