"""A profile for people: one screen of text."""

from __future__ import annotations

from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING

from geocli.bans.subject import Kind
from geocli.output.formats.base import Layout, cell, load_format
from geocli.output.status.text import age

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geocli.bans.profile import Crowd, Past, Profile
    from geocli.inputs.log_lines import Lines
    from geocli.model.bans import Ban
    from geocli.model.records import GeoRecord
    from geocli.output.formats.base import Row
    from geocli.providers.registrations import Registration

_INDENT = "  "
_LABEL = 12  # characters of the longest label
_NEIGHBOURS = 5  # of the worst, in a line
_NARROWEST = 20  # characters of a value, however narrow the terminal is
_TIED = "\xa0"
"""A blank at which no line ends; text from outside has none."""
BANS = ("host", "jail", "ip", "banned_at", "expires_at", "ban_count")
WORST = ("ip", "bans", "country_code", "asn", "org")
_SAID = {Kind.ASN: ("asn", "org"), Kind.COUNTRY: ("country_code",)}
"""What need not be said in each row."""


class Page:
    """Writes profiles for a terminal of ``width`` characters; ``now`` is seconds since the epoch."""

    def __init__(self, width: int, *, color: bool, now: float) -> None:
        self._width = width
        self._color = color
        self._now = now
        self.left_out: dict[str, None] = {}
        """The columns that there was no room for, in any table."""

    def text(self, profile: Profile, registration: Registration | None, lines: Lines | None) -> str:
        """Return all of it, lines of text."""
        facts = list(_whereabouts(profile, self._now))
        if registration is not None:
            facts += _registered(profile.subject.name, registration, self._now)
        facts += _of_server(profile)
        facts.append(("history", _past(profile)))
        parts = [self._title(_title(profile)), *(self._fact(*fact) for fact in facts)]
        if profile.latest:
            names = [name for name in BANS if name != "ip" or _has_networks(profile)]
            rows = [ban_row(located.ban, located.seen and located.seen.host) for located in profile.latest]
            rest = profile.past.bans - len(rows)
            parts.append(self._table(BANS, names, rows, f"and {rest:,} before" if rest else ""))
        for number, (what, crowd) in enumerate(profile.neighbours.items()):
            parts.append(self._fact("" if number else "neighbours", _crowd(what, crowd)))
        if profile.crowd is not None and profile.crowd.worst:
            rows = [worst_row(ip, bans, profile.records[ip]) for ip, bans in profile.crowd.worst]
            rest = profile.crowd.addresses - len(rows)
            names = [name for name in WORST if name not in _SAID.get(profile.subject.kind, ())]
            parts.append(self._table(WORST, names, rows, f"and {rest:,} more" if rest else ""))
        if lines is not None:
            parts.append(self._fact("log", _seen(lines)))
            parts += [f"{_INDENT * 2}{line}\n" for line in lines.shown]
        return "".join(parts)

    def _title(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m\n" if self._color else f"{text}\n"

    def _fact(self, label: str, value: str) -> str:
        room = max(self._width - len(_INDENT) * 2 - _LABEL, _NARROWEST)
        begin = f"{_INDENT}{label:{_LABEL}}{_INDENT}"
        # What somebody may copy is in one piece.
        parts = wrap(value, room, break_long_words=False, break_on_hyphens=False) or [""]
        text = f"\n{' ' * len(begin)}".join([begin + parts[0], *parts[1:]])
        return text.replace(_TIED, " ").rstrip() + "\n"

    def _table(self, columns: tuple[str, ...], chosen: Sequence[str], rows: Sequence[Row], rest: str) -> str:
        layout = Layout(columns, tuple(chosen), width=self._width - 2 * len(_INDENT), color=self._color)
        table = load_format("table", layout)
        lines = table.rows(rows).splitlines()
        self.left_out |= dict.fromkeys(getattr(table, "left_out", ()))
        return "".join(f"{_INDENT * 2}{line}\n" for line in [*lines, *([rest] if rest else [])])


def _title(profile: Profile) -> str:
    subject = profile.subject
    if subject.kind is Kind.COUNTRY:
        return f"{subject.name} {cell(profile.name)}"
    if subject.kind is Kind.ASN:
        return f"{subject} {cell(profile.name) or '(holder not known)'}"
    return str(subject)


def _whereabouts(profile: Profile, now: float) -> Iterator[tuple[str, str]]:
    record = profile.record
    if record is None:
        return
    if record.status != "ok":
        meaning = {
            "reserved": "reserved: nobody on the Internet has it",
            "unknown": "unknown: no source has it",
            "error": "could not be asked now",
        }
        yield "where", meaning[record.status]
    else:
        place = (f"{cell(record.country_code)} {cell(record.country_name)}", record.region, record.city)
        yield "where", ", ".join(dict.fromkeys(filter(None, (cell(part).strip() for part in place)))) or "-"
        holder = " ".join(
            filter(None, (f"AS{record.asn}" if record.asn is not None else "", cell(record.org)))
        )
        yield "holder", holder or "(no AS known)"
        if record.network is not None and record.network != record.ip:
            yield "network", record.network
    if profile.tags:
        yield "tags", ", ".join(profile.tags)
    if record.source is not None:
        yield "source", f"{cell(record.source)}, {_when(record.resolved_at, now)}"


def _when(text: str | None, now: float) -> str:
    if text is None:
        return "at a time that is not known"
    seconds = max(now - datetime.fromisoformat(text).timestamp(), 0)
    return "asked now" if seconds < 2 else f"asked {age(seconds)} ago"


def _registered(what: str, registration: Registration, now: float) -> list[tuple[str, str]]:
    known = (registration.holder, registration.name, registration.range)
    holder = ", ".join(text for text in known if text is not None and text != what)
    said = f"{registration.registry or 'RDAP'}, {_when(registration.asked_at, now)}"
    return [
        ("registered", f"{holder or 'to nobody that is named'} ({said})"),
        ("abuse", registration.abuse or "no address for complaints is registered"),
    ]


def _of_server(profile: Profile) -> list[tuple[str, str]]:
    """What the running server says; nothing where none was asked."""
    inside = None if profile.crowd is None or profile.crowd.banned_now is None else _now(profile.crowd)
    if profile.covering is None:
        return [] if inside is None else [("banned now", inside)]
    bans = [_current(ban, str(profile.subject)) for ban in profile.covering[:_NEIGHBOURS]]
    covered = f"yes, {_listed(bans, len(profile.covering), '; ')}" if bans else None
    if inside is not None:
        return [("banned now", f"{covered}; in it {inside}" if covered else inside)]
    return [("banned now", covered or "no")]


def _current(ban: Ban, name: str) -> str:
    what = f"in {cell(ban.jail)}" if ban.jail else "in a jail"
    since = f" since {ban.banned_at}" if ban.banned_at else ""
    until = f" until {ban.expires_at}" if ban.expires_at else ""
    covered = f" as {cell(ban.text)}" if ban.text != name else ""
    return what + covered + since + until


def _past(profile: Profile) -> str:
    past, crowd = profile.past, profile.crowd
    if not past.bans:
        return "no ban"
    of = f" of {_addresses(crowd.addresses)}" if crowd is not None else ""
    jails = ", ".join(f"{cell(jail) or '(no jail)'}{_TIED}{count:,}" for jail, count in _largest(past.jails))
    more = f", and {len(past.jails) - _NEIGHBOURS:,} more" if len(past.jails) > _NEIGHBOURS else ""
    return f"{_count(past.bans, 'ban')}{of}, {period(past)}: {jails}{more}"


def period(past: Past) -> str:
    """The day, or the first and the last day, on which bans began (UTC)."""
    first, last = (past.first or "")[:10], (past.last or "")[:10]
    return first if first == last else f"{first} to {last}"


def _largest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_NEIGHBOURS]


def _crowd(what: str, crowd: Crowd) -> str:
    said = "nobody else was banned"
    if crowd.addresses:
        shown = [f"{cell(ip)}{_TIED}({bans:,})" for ip, bans in crowd.worst[:_NEIGHBOURS]]
        counts = f"{_addresses(crowd.addresses)} with {_count(crowd.bans, 'ban')}"
        said = f"{counts}: {_listed(shown, crowd.addresses)}"
    elif crowd.banned_now:
        said = "no ban in the history"
    return f"{what}: {said}{f'; banned now: {_now(crowd)}' if crowd.banned_now else ''}"


def _now(crowd: Crowd) -> str:
    """Whom the running server bans."""
    if not crowd.banned_now:
        return "nobody"
    shown = [cell(ip) for ip in crowd.now[:_NEIGHBOURS]]
    return f"{_addresses(crowd.banned_now)}: {_listed(shown, crowd.banned_now)}"


def _listed(shown: Sequence[str], total: int, between: str = ", ") -> str:
    rest = total - len(shown)
    return between.join(shown) + (f" and {rest:,} more" if rest else "")


def _seen(lines: Lines) -> str:
    if not lines.total:
        return "no line tells of it"
    if lines.total > len(lines.shown):
        return f"{lines.total:,} lines, of which the last {len(lines.shown):,}:"
    return f"{_count(lines.total, 'line')}:"


def _addresses(count: int) -> str:
    return f"{count:,}{_TIED}address{'es' * (count != 1)}"


def _count(count: int, what: str) -> str:
    return f"{count:,}{_TIED}{what}{'s' * (count != 1)}"


def _has_networks(profile: Profile) -> bool:
    return any(located.ban.text != profile.subject.name for located in profile.latest)


def ban_row(ban: Ban, host: str | None) -> Row:
    """The values of ``BANS``."""
    return (host, ban.jail, ban.text, ban.banned_at, ban.expires_at, ban.ban_count)


def worst_row(ip: str, bans: int, record: GeoRecord) -> Row:
    """The values of ``WORST``."""
    return (ip, bans, record.country_code, record.asn, record.org)
