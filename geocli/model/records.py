"""The record: what geocli knows about one address.

A record is a tuple in the order of the contract's fields, so that the same object is a row of the
journal (JSON array), a row of the store (SQL parameters) and a line of output, without conversion.
Text from outside enters a record through ``clean_text`` only: bounded, and free of anything that
could move, colour or clear a terminal.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal, NamedTuple

Status = Literal["ok", "reserved", "unknown", "error"]

MAX_TEXT = 256
"""Characters kept of any text in a record. The longest registered AS name is below 128."""

MAX_SOURCE = 2000
"""Characters of a record's source: it may name several databases, each by up to 100."""

_END_OF_TIME = 253402300799  # 9999-12-31T23:59:59Z

MAX_ASN = 2**32 - 1
"""RFC 6793: AS numbers are 32 bits wide."""


class GeoRecord(NamedTuple):
    """One answer. A value that is not known is ``None``.

    ``latitude`` and ``longitude`` are degrees, WGS 84, never integers. ``network`` is CIDR text,
    ``resolved_at`` is ``YYYY-MM-DDTHH:MM:SSZ`` (UTC), so that comparing the texts compares the times.
    """

    ip: str
    status: Status
    country_code: str | None = None
    country_name: str | None = None
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    asn: int | None = None
    org: str | None = None
    network: str | None = None
    source: str | None = None
    resolved_at: str | None = None


FIELDS: tuple[str, ...] = GeoRecord._fields


class Answer(NamedTuple):
    """What a source says about an address: the fields of a ``GeoRecord`` that hang on nothing else."""

    country_code: str | None = None
    country_name: str | None = None
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    asn: int | None = None
    org: str | None = None


NOTHING = Answer()
"""No value at all."""

# Where each field of a record comes from, among what ``record_of`` is given.
_ARRANGED = itemgetter(
    *map(("ip", "status", "network", "source", "resolved_at", *Answer._fields).index, FIELDS)
)


def record_of(
    ip: str, status: Status, answer: Answer, network: str | None, source: str | None, resolved_at: str | None
) -> GeoRecord:
    """Return the record of an address that has this answer."""
    # As GeoRecord._make does it, without counting the values again.
    return tuple.__new__(GeoRecord, _ARRANGED((ip, status, network, source, resolved_at, *answer)))


_TEXT = tuple(name for name in FIELDS if name not in {"latitude", "longitude", "asn"})
_REQUIRED = frozenset({"ip", "status", "resolved_at"})
_REQUIRED_TEXT: frozenset[type] = frozenset({str})
_OPTIONAL_TEXT: frozenset[type] = frozenset({str, type(None)})
_OPTIONAL_NUMBER: frozenset[type] = frozenset({float, type(None)})
_OPTIONAL_INTEGER: frozenset[type] = frozenset({int, type(None)})
_SECONDS = tuple(f":{second:02}Z" for second in range(60))
_SECOND_ENDS = frozenset(_SECONDS)


def clean_text(value: str, limit: int = MAX_TEXT) -> str:
    r"""Text from outside as it may enter a record or a message.

    White space of any kind becomes one space, other control and format characters (escape, bidi
    controls, lone surrogates) become visible ``\x1b``, and anything over ``limit`` characters is cut.
    """
    if len(value) > limit or not value.isprintable():
        # Bounded before the work and after it: escaping makes text longer.
        is_cut = len(value) > limit
        value = "".join(_visible(char) for char in " ".join(value[: limit + 1].split()))
        if is_cut or len(value) > limit:
            value = value[: limit - 1] + "…"
    return value


def _visible(char: str) -> str:
    # isprintable() refuses every space but U+0020, and split() above has already met those.
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")


def utc_text(moment: float) -> str:
    """Seconds since the epoch as a record's ``resolved_at``; what is before or after all time, its edge."""
    minute, second = divmod(int(min(max(moment, 0), _END_OF_TIME)), 60)
    return f"{_minute(minute)}:{second:02}Z"


@lru_cache(maxsize=8192)  # those of many bans are near each other
def _minute(minute: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M")


def check_rows(rows: Sequence[Any]) -> None:
    """See that rows read back from disk are what a record may be, else raise ``ValueError``.

    Checks by column, not by value: a set of types and one look at all of a column's text serve
    thousands of rows. The error names the column.
    """
    if not rows:
        return
    if not all(isinstance(row, (list, tuple)) for row in rows) or set(map(len, rows)) != {len(FIELDS)}:
        raise ValueError(f"a row does not have {len(FIELDS)} values")
    check_columns(dict(zip(FIELDS, zip(*rows, strict=True), strict=True)))


def check_columns(columns: Mapping[str, Collection[Any]]) -> None:
    """The same with values by field. A value that many records have in common need not be repeated."""
    for name in _TEXT:
        _expect_types(name, columns[name], _REQUIRED_TEXT if name in _REQUIRED else _OPTIONAL_TEXT)
        texts = [text for text in columns[name] if text is not None]
        longest = MAX_SOURCE if name == "source" else MAX_TEXT
        if texts and (max(map(len, texts)) > longest or not "".join(texts).isprintable()):
            raise ValueError(f"{name} holds text that no source may give")
    for name, limit in (("latitude", 90), ("longitude", 180)):
        _expect_types(name, columns[name], _OPTIONAL_NUMBER)
        if not all(-limit <= number <= limit for number in set(columns[name]) - {None}):
            raise ValueError(f"{name} is not in degrees")
    _expect_types("asn", columns["asn"], _OPTIONAL_INTEGER)
    numbers = set(columns["asn"]) - {None}
    if numbers and not 0 <= min(numbers) <= max(numbers) <= MAX_ASN:
        raise ValueError("asn is out of range")
    if not set(columns["status"]) <= {"ok", "unknown"}:
        raise ValueError("status is neither ok nor unknown")
    if not all(map(is_time, set(columns["resolved_at"]))):
        raise ValueError("resolved_at is not a time")


def check_kind(status: object, source: object, resolved_at: object) -> tuple[Status, str | None, str]:
    """The same with what says whether an answer still serves, which is returned."""
    if status != "ok" and status != "unknown":
        raise ValueError("status is neither ok nor unknown")
    if not isinstance(resolved_at, str) or not is_time(resolved_at):
        raise ValueError("resolved_at is not a time")
    if source is not None and not isinstance(source, str):
        raise ValueError("source has a value of the wrong type")
    if source and (len(source) > MAX_SOURCE or not source.isprintable()):
        raise ValueError("source holds text that no source may give")
    return status, source, resolved_at


def is_time(text: str) -> bool:
    """Whether this is a moment as a record has it."""
    return text[16:] in _SECOND_ENDS and _is_minute(text[:16])


@lru_cache(maxsize=8192)
def _is_minute(text: str) -> bool:
    """Whether this is a minute of some day, ``YYYY-MM-DDTHH:MM``."""
    try:
        return datetime.fromisoformat(text).isoformat() == f"{text}:00"
    except ValueError:  # the 31st of February
        return False


def _expect_types(name: str, column: Iterable[object], types: frozenset[type]) -> None:
    if not types.issuperset(map(type, column)):
        raise ValueError(f"{name} has a value of the wrong type")
