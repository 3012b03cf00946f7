"""Bans: a ``Ban`` as an input tells it, a ``SeenBan`` as the history keeps it, and a ``LocatedBan``.

A ``SeenBan`` is one for each (host, jail, ip, banned_at), however often it was seen: of two sightings
``merged`` makes the one that the history has, in any order and however often. What is read back from disk
passes ``check_bans``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.model.records import MAX_TEXT, is_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.model.records import GeoRecord

MOST_BANS = 2**31 - 1
"""The largest ``ban_count``: what every store's INTEGER can hold."""


class Ban(NamedTuple):
    """One ban, as any output of fail2ban's tells it. What the input does not tell is ``None``.

    ``text`` is the identifier as fail2ban has it, which may be anything: a host name, a user, two words.
    Times are a record's (UTC); ``expires_at`` is ``None`` for a permanent ban too. ``held_at`` is a moment at
    which it held, where the input tells that and not when it began. ``jail`` and ``text`` have been through
    ``clean_text``.
    """

    jail: str | None
    text: str
    banned_at: str | None = None
    expires_at: str | None = None
    ban_count: int | None = None
    held_at: str | None = None


class SeenBan(NamedTuple):
    """One ban. Times are a record's (``YYYY-MM-DDTHH:MM:SSZ``).

    ``host`` is the machine whose fail2ban it was, ``jail`` is empty where the input told none, ``ip`` is a
    canonical address or network, or whatever else was banned; all three have been through ``clean_text``.
    ``banned_at`` is fail2ban's word where ``timed`` is 1; where it is 0 the input told no times, and it is
    the moment of the first sighting. ``expires_at`` and ``ban_count`` are those of the last sighting,
    ``None`` where they are not known or, for ``expires_at``, never.
    """

    host: str
    jail: str
    ip: str
    banned_at: str
    expires_at: str | None
    ban_count: int | None
    timed: int
    first_seen: str
    last_seen: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells bans apart."""
        return self[:4]


SEEN_FIELDS: tuple[str, ...] = SeenBan._fields


def merged(one: SeenBan, other: SeenBan) -> SeenBan:
    """What is known of a ban after both sightings of it: the newer wins, whichever comes first."""
    newer = max(one, other, key=_rank)
    return newer._replace(timed=max(one.timed, other.timed), first_seen=min(one.first_seen, other.first_seen))


def _rank(seen: SeenBan) -> tuple[str, str, int]:
    # Two sightings of one second need an order too: else the result would depend on who came first.
    return seen.last_seen, seen.expires_at or "", -1 if seen.ban_count is None else seen.ban_count


class LocatedBan(NamedTuple):
    """A ban of one address, network or other identifier, and what is known about it.

    ``seen`` is how the history has it, ``None`` for a ban that comes straight from an input.
    """

    ban: Ban
    record: GeoRecord
    seen: SeenBan | None = None

    @classmethod
    def of_history(cls, seen: SeenBan, record: GeoRecord) -> LocatedBan:
        """Return a ban of the history. Where no input told when it began, nothing is said about that."""
        banned_at = seen.banned_at if seen.timed else None
        ban = Ban(seen.jail or None, seen.ip, banned_at, seen.expires_at, seen.ban_count)
        return cls(ban, record, seen)

    @property
    def began(self) -> str | None:
        """When it began; of a ban in the history that has no time, when it was first seen."""
        return self.ban.banned_at if self.seen is None else self.seen.banned_at


class BanQuery(NamedTuple):
    """Which bans are meant. ``None`` and empty sets let everything through; times are a record's.

    ``since`` and later, before ``until``, by ``banned_at``. Countries and AS numbers are judged by answers
    that are ``ok``: a store lets a ban through that it has no answer for, for whoever asks to judge. ``ips``
    are the only ones that count, and what was banned begins with the text ``starting``; ``without`` do not
    count, which is for stores.
    """

    since: str | None = None
    until: str | None = None
    hosts: frozenset[str] = frozenset()
    jails: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    asns: frozenset[int] = frozenset()
    ips: Sequence[str] | None = None
    starting: str = ""
    without: Sequence[str] = ()

    @property
    def needs_time(self) -> bool:
        """Whether a ban without a time cannot count."""
        return self.since is not None or self.until is not None

    def takes(self, ban: Ban | SeenBan) -> bool:
        """Return whether a ban may count, before it is known from where it is."""
        if not self.has_jail(ban):
            return False
        if self.hosts and (not isinstance(ban, SeenBan) or ban.host not in self.hosts):
            return False
        if not self.needs_time:
            return True
        moment = ban.banned_at
        if moment is None:  # it began before the moment at which it held
            held_at = ban.held_at if isinstance(ban, Ban) else None
            return self.since is None and held_at is not None and held_at < (self.until or "")
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)

    def has_jail(self, ban: Ban | SeenBan) -> bool:
        """Return whether a ban is of one of the jails."""
        return not self.jails or ban.jail in self.jails

    def is_unsure(self, ban: Ban) -> bool:
        """Return whether a ban may have begun in time, of which is known only that it held at a moment."""
        if ban.banned_at is not None or ban.held_at is None or self.takes(ban):
            return False
        return self.since is None or ban.held_at > self.since

    def keeps(self, record: GeoRecord) -> bool:
        """Return whether a ban counts that is from there."""
        return (not self.countries or record.country_code in self.countries) and (
            not self.asns or record.asn in self.asns
        )


def check_bans(rows: Sequence[Any]) -> None:
    """See that rows read back from disk are what a ``SeenBan`` may be, else raise ``ValueError``."""
    if not rows:
        return
    if not all(isinstance(row, (list, tuple)) for row in rows) or set(map(len, rows)) != {len(SEEN_FIELDS)}:
        raise ValueError(f"a ban does not have {len(SEEN_FIELDS)} values")
    columns = dict(zip(SEEN_FIELDS, zip(*rows, strict=True), strict=True))
    for name in ("host", "jail", "ip"):
        texts = set(columns[name])
        if (
            {*map(type, texts)} != {str}
            or max(map(len, texts)) > MAX_TEXT
            or not "".join(texts).isprintable()
        ):
            raise ValueError(f"{name} holds text that no ban may have")
    for name in ("banned_at", "first_seen", "last_seen", "expires_at"):
        times = set(columns[name]) - ({None} if name == "expires_at" else set())
        if not all(type(time) is str and is_time(time) for time in times):
            raise ValueError(f"{name} is not a time")
    counts = columns["ban_count"]  # no set of them: True would be 1
    if not all(count is None or (type(count) is int and 0 <= count <= MOST_BANS) for count in counts):
        raise ValueError("ban_count is not a number of bans")
    if not all(type(timed) is int and timed in {0, 1} for timed in columns["timed"]):
        raise ValueError("timed is neither 0 nor 1")
