"""CrowdSec's decisions and alerts, as ``cscli`` prints them: one ban a decision, the scenario as its jail.

``cscli decisions list`` and ``alerts list``, ``-o json`` (both give alerts with their decisions; the API
gives decisions alone), ``-o raw`` (CSV with a header), ``-o human`` (a table with a frame). A decision
lasts for its ``duration`` from now on. What is only simulated, and what is no ban (a captcha), is not told.
"""

from __future__ import annotations

import csv
from datetime import datetime
from typing import TYPE_CHECKING, Any

from geocli.inputs.ban_reader import LineReader
from geocli.inputs.durations import seconds_of
from geocli.inputs.fail2ban.times import moment_text
from geocli.model.bans import Ban
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from geocli.inputs.ban_reader import Reading, Tally

_NOBODY = (b"No active decisions", b"No active alerts")
_FRAME = "─━═-+|│┃├┤╭╮╰╯┬┴┼╞╡╪┌┐└┘╔╗╚╝║ \t\r\n"
_ADDRESS = frozenset({"scope:value", "ip", "value"})


def sniff(line: bytes) -> bool:
    """Whether it is the header of a table of decisions or alerts, or says that there are none."""
    return line.startswith(_NOBODY) or bool(_header(_cells(line)))


def read(reading: Reading, tally: Tally) -> TableReader:
    """Return what reads such tables, in CSV or in a frame."""
    return TableReader(reading, tally)


class TableReader(LineReader):
    """The rows of a table, by the names in its header."""

    _columns: Sequence[str] = ()

    def bans_in(self, line: bytes) -> list[Ban] | None:
        """Return the ban in a row."""
        if line.startswith(_NOBODY):
            self.tally.answers += 1
            return []
        cells = _cells(line)
        if header := _header(cells):
            self._columns = header
            self.tally.answers += 1
            return []
        if not self._columns or not line.strip():
            return None
        if not line.decode("utf-8", "replace").strip(_FRAME):
            return []  # a rule of the frame
        if len(cells) != len(self._columns):
            return None
        return self._bans_of(dict(zip(self._columns, cells, strict=True)))

    def _bans_of(self, row: Mapping[str, str]) -> list[Ban]:
        scope, colon, value = next((row[name] for name in _ADDRESS if row.get(name)), "").partition(":")
        if not colon or scope.lower() not in {"ip", "range", "country", "as", "username"}:
            value = f"{scope}{colon}{value}"
        action = row.get("action") or row.get("decisions", "")
        if not value or not action.startswith("ban") or row.get("simulated") == "true":
            return []
        left = seconds_of(row.get("expiration", ""))
        begin = _moment(row.get("created_at") or row.get("created at"))
        jail = row.get("reason") or row.get("source")
        return [
            Ban(
                clean_text(jail) if jail else None,
                clean_text(value),
                begin,
                None if left is None else moment_text(self.now + left),
            )
        ]


def _header(cells: Sequence[str]) -> Sequence[str]:
    names = [cell.lower() for cell in cells]
    is_header = "id" in names and "reason" in names and bool(_ADDRESS.intersection(names))
    return names if is_header else ()


def _cells(line: bytes) -> list[str]:
    text = line[: 1 << 16].decode("utf-8", "replace").strip()
    for bar in "│|┃":
        if text.startswith(bar):
            return [cell.strip() for cell in text.strip(bar).split(bar)]
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        return []


def sniff_value(value: Any) -> bool:
    """Whether an object is an alert or a decision."""
    if not isinstance(value, dict):
        return False
    if "decisions" in value:
        return isinstance(value["decisions"], list | None) and not {
            "scenario",
            "source",
            "created_at",
        }.isdisjoint(value)
    return {"scenario", "value"} <= value.keys() and not {"duration", "until"}.isdisjoint(value)


def read_value(reading: Reading, tally: Tally) -> Callable[[Any], list[Ban]]:  # noqa: ARG001
    """Return what tells the bans of such an object."""
    return lambda value: _bans_of(value, reading.now)


def _bans_of(value: dict[str, Any], now: float) -> list[Ban]:
    decisions = value["decisions"] or [] if "decisions" in value else [value]
    return [
        ban
        for decision in decisions
        if isinstance(decision, dict) and (ban := _ban_of(decision, value, now)) is not None
    ]


def _ban_of(decision: dict[str, Any], alert: dict[str, Any], now: float) -> Ban | None:
    if decision.get("type", "ban") != "ban" or decision.get("simulated") is True:
        return None
    identifier = decision.get("value")
    if not isinstance(identifier, str):
        return None
    jail = next(
        (text for text in (decision.get("scenario"), alert.get("scenario"), decision.get("origin")) if text),
        None,
    )
    until = _moment(decision.get("until"))
    left = seconds_of(str(decision.get("duration", ""))[:100])
    if until is None and left is not None:
        until = moment_text(now + left)
    begin = _moment(decision.get("created_at")) or _moment(alert.get("created_at"))
    return Ban(clean_text(jail) if isinstance(jail, str) else None, clean_text(identifier), begin, until)


def _moment(text: Any) -> str | None:
    """A time of Go's as a record's: ``2026-11-23T21:42:11Z``, ``2026-11-23 21:42:11 +0000 UTC``."""
    if not isinstance(text, str):
        return None
    words = text[:64].split()
    if len(words) > 2 and words[2][:1] in {"+", "-"}:
        words = [f"{words[0]}T{words[1]}{words[2]}"]
    try:
        moment = datetime.fromisoformat(words[0] if words else "")
    except ValueError:
        return None
    return moment_text(moment.timestamp()) if moment.tzinfo is not None else None
