"""The figures of ``geocli stats`` for people: sections, sizes and ages in units that mean something."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from geocli.model.records import clean_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from geocli.output.status.collect import Stats

_LONGEST = 1000  # characters
_AGES = ((365 * 86400, "years"), (86400, "days"), (3600, "hours"), (60, "minutes"))


def page(stats: Stats, data_dir: Path, findings: Sequence[str]) -> str:
    """The whole page, lines of text; ``findings`` are what somebody should see to."""
    unknown = f", {stats.unknown:,} of them unknown" if stats.unknown else ""
    sections = {
        "Store": [
            ("answers", f"{stats.stored:,}{unknown}"),
            ("bans", f"{stats.bans:,}"),
            *([("of the future", f"{stats.future:,}")] if stats.future else []),
            ("last flush", _moment(stats.last_flush)),
            *_file(stats.store_bytes, data_dir),
        ],
        "Journal": [
            ("waiting", _waiting(stats)),
            ("quarantine", _files(stats.quarantined, data_dir)),
            ("size", _size(stats.journal_bytes)),
            ("directory", str(data_dir / "journal")),
        ],
        "Databases": [
            *((str(one["name"]), _edition(one)) for one in stats.databases),
            ("read by", "compiled code" if stats.mmdb_c_extension else "Python, which is 20 times slower"),
        ],
    }
    if findings:
        sections["To see to"] = [("", finding) for finding in findings]
    width = max(len(label) for rows in sections.values() for label, _ in rows)
    return "\n".join(
        f"{title}\n" + "".join(_line(label, value, width) for label, value in rows)
        for title, rows in sections.items()
    )


def _file(size: int | None, data_dir: Path) -> list[tuple[str, str]]:
    if size is None:
        return [("where", "on a server")]
    return [("size", _size(size)), ("file", str(data_dir / "geo.db"))]


def _line(label: str, value: str, width: int) -> str:
    shown = clean_text(value, _LONGEST)
    return f"  {clean_text(label).ljust(width)}  {shown}\n" if label else f"  {shown}\n"


def _waiting(stats: Stats) -> str:
    kinds = (_count(stats.dirty, "answer"), _count(stats.dirty_bans, "ban"))
    waiting = " and ".join(filter(None, kinds)) or "nothing"
    if stats.oldest_dirty_seconds is None:
        return waiting
    return f"{waiting}, the oldest for {age(stats.oldest_dirty_seconds)}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}" if number else ""


def _files(count: int, data_dir: Path) -> str:
    if not count:
        return "empty"
    return f"{count} file{'s' * (count != 1)} in {data_dir / 'journal' / 'quarantine'}"


def _edition(database: dict[str, object]) -> str:
    days = database["age_days"]
    old = age(days * 86400) if isinstance(days, int) and days > 0 else "not a day"
    return f"edition {database['edition']}, {old} old"


def _moment(text: str | None) -> str:
    if text is None:
        return "never"
    moment = datetime.fromisoformat(text)
    ago = time.time() - moment.timestamp()
    if ago < 0:
        return f"{text}, in the future: is the clock right?"
    return f"{age(ago)} ago ({moment.astimezone():%Y-%m-%d %H:%M %Z})"


def age(seconds: float) -> str:
    """``45 seconds``, ``90 minutes``, ``2 days``: how long, as people say it."""
    for size, unit in _AGES:
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} second{'s' * (int(seconds) != 1)}"


def _size(count: int) -> str:
    """Bytes as people read them, in powers of 1,000."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
