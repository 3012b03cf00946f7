"""What is fuzzed: functions of bytes. Whatever one raises is a finding, a failed ``assert`` too."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from geocli.config.settings import Flags, load_settings
from geocli.inputs.bans import read_bans
from geocli.inputs.bulk_text import BulkText
from geocli.inputs.in_text import find_ends, find_targets
from geocli.inputs.stream import Stream
from geocli.mmdb.layouts import answer_of
from geocli.model.addresses import is_reserved, parse_target
from geocli.model.bans import SEEN_FIELDS, check_bans
from geocli.model.errors import Problems
from geocli.model.records import FIELDS, Answer, GeoRecord, check_rows
from geocli.providers.country_is import CountryIs
from geocli.providers.ip_api import IpApi
from geocli.providers.ipinfo import Ipinfo
from geocli.providers.online.base import MalformedError, Source
from geocli.storage.batch import BadSegmentError, NewerSegmentError
from geocli.storage.journal.segments import decode

_SETTINGS = load_settings(
    Flags(Path("/nowhere"), None, None, quiet=False, verbose=False),
    {"GEOCLI_IPINFO_TOKEN": "token", "HOME": "/nowhere"},
)
_TARGETS = ("8.8.8.8", "9.9.9.9", "2001:4860:4860::8888", "1.1.1.1")


def addresses(data: bytes) -> None:
    """Addresses in text: what is found is canonical, and found at its end too."""
    found = find_targets(data)
    for target in found:
        assert parse_target(target) == target
        is_reserved(target)
    ends = find_ends(data)
    assert [target for _, target in ends] == found
    assert all(0 < end <= len(data) for end, _ in ends)
    assert sorted(BulkText().find(data).decode().split()) == sorted(found)


def bans(data: bytes) -> None:
    """Anything that fail2ban hands out: bans of one line each, or a complaint of one line."""
    problems = Problems()
    for batch in read_bans([Stream(BytesIO(data), "input")], problems):
        for ban in batch:
            assert all(value.isprintable() for value in ban if isinstance(value, str)), ban
    assert all(str(problem).isprintable() for problem in problems)


def _answers(source: Source, data: bytes) -> None:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return
    with suppress(MalformedError):
        found = source.read(body, _TARGETS)
        assert found.keys() <= set(_TARGETS)
        _check(found.values())


def ip_api(data: bytes) -> None:
    """An answer of ip-api.com."""
    _answers(IpApi(_SETTINGS), data)


def country_is(data: bytes) -> None:
    """An answer of country.is."""
    _answers(CountryIs(_SETTINGS), data)


def ipinfo(data: bytes) -> None:
    """An answer of ipinfo.io."""
    _answers(Ipinfo(_SETTINGS), data)


def segment(data: bytes) -> None:
    """A journal segment: rows that may go into the store, or an error of its own."""
    with suppress(BadSegmentError, NewerSegmentError):
        batch = decode(data.decode("utf-8", "surrogateescape"))
        check_rows(batch.rows())
        check_bans(batch.bans)
        assert all(len(row) == len(FIELDS) for row in batch.rows())
        assert all(len(row) == len(SEEN_FIELDS) for row in batch.bans)


def layout(data: bytes) -> None:
    """A record of an MMDB file; as JSON, which can say nearly all that MMDB can."""
    try:
        record: Any = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(record, dict):
        _check([answer_of(record)])


def _check(answers: Any) -> None:
    """Answers may be made records, whatever they were read from."""
    rows = [
        GeoRecord._make(("8.8.8.8", "ok", *answer, None, "source", "2026-11-01T00:00:00Z"))
        for answer in answers
        if isinstance(answer, Answer)
    ]
    check_rows(rows)
    json.dumps(rows, ensure_ascii=False).encode()


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (addresses, bans, ip_api, country_is, ipinfo, segment, layout)
}
