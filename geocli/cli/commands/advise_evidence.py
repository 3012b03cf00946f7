"""What advice is made of: bans with their holders, and who must not be banned; from this machine alone."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from geocli.bans.advice.advice import advise as best_advice
from geocli.bans.advice.allowed import Allowed, AllowList, Spared
from geocli.bans.advice.evidence import Evidence
from geocli.bans.advice.gathered import Gathered, Holder
from geocli.bans.advice.kinds import CARE, listed_kind
from geocli.bans.advice.prefix import Prefix, covering, prefix_of
from geocli.cli.commands.bans_list import read_located
from geocli.cli.progress import Progress
from geocli.cli.session import noting, open_history, open_lookup, say_if_empty
from geocli.inputs.targets import open_streams
from geocli.lookup.survey import Stretch, survey
from geocli.lookup.tags import listed_networks
from geocli.lookup.tags import values as tags_of
from geocli.model.addresses import parse_target
from geocli.model.errors import GeocliError, UsageError
from geocli.system.presence import exists, named_by_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from geocli.bans.advice.advice import Advice, Terms
    from geocli.cli.ban_options import BanFilters, BanInput
    from geocli.cli.commands.advise_options import Past, Spare
    from geocli.config.settings import Settings
    from geocli.inputs.allow.spared import Spared as SparedTarget
    from geocli.model.bans import LocatedBan
    from geocli.model.errors import Problems

_SECONDS = 86400
_MOST_ROUNDS = 20
"""How often advice is made anew because of who was found in it. Each time what was found is out of it."""

_MOST_KNOWN = 50_000  # addresses: some 20 MB
_LOCAL = "mmdb"  # nobody on the network is asked


class Bans(NamedTuple):
    """All bans that count. ``judged_at`` is now, or the moment of the last of them, if that is long ago."""

    gathered: Gathered
    judged_at: float

    @classmethod
    def of(cls, gathered: Gathered) -> Self:
        """Return these, judged as of now or of the last of them."""
        now, last = time.time(), gathered.last
        is_old = last is not None and gathered.is_timed and _moment(last) < now - _SECONDS
        return cls(gathered, _moment(last) + 1 if last is not None and is_old else now)

    @property
    def days(self) -> int | None:
        """How many days they span; ``None`` where not all say when they began."""
        first, last = self.gathered.first, self.gathered.last
        if first is None or last is None or not self.gathered.is_timed:
            return None
        return int((_moment(last) - _moment(first)) // _SECONDS) + 1

    def evidence(self, before: str | None = None) -> Evidence:
        """All that began before that moment, judged then; without one, everything."""
        judged_at = self.judged_at if before is None else _moment(before)
        return Evidence(judged_at, self.gathered, before=before)


class Holders:
    """Says who is spared because of who holds an address: an AS, or a kind of holder."""

    def __init__(self) -> None:
        self.asns: set[int] = set()
        self.kinds: set[str] = set()

    def why(self, holder: Holder) -> str | None:
        """Why it is spared, for people; ``None`` where it is not."""
        if holder.asn is not None and holder.asn in self.asns:
            return f"--allow AS{holder.asn}"
        kind = holder.kind if self.kinds else ""
        return f"--allow {kind}, AS{holder.asn} {holder.org or ''}".strip() if kind in self.kinds else None

    def __bool__(self) -> bool:
        return bool(self.asns or self.kinds)


def read_bans(
    source: BanInput, filters: BanFilters, past: Past, settings: Settings, problems: Problems
) -> Bans:
    """All bans. What cannot be read to its end is noted in ``problems``. Raises ``UsageError``."""
    query = filters.query(time.time())._replace(hosts=frozenset(past.host or ()))
    addresses = Addresses(Gathered(settings.data_dir))
    with noting(problems), Progress.without_rows(settings) as progress:
        if past.history:
            with open_history(settings, problems, progress) as history:
                say_if_empty(history, settings)
                for located in history.bans(query):
                    addresses.add(located)
                    progress.show("bans", len(addresses.gathered))
        else:
            with open_lookup(_local(settings), problems, progress, no_cache=True) as lookup:
                for located in read_located(settings, lookup, source, query, problems, progress):
                    addresses.add(located)
    return Bans.of(addresses.gathered)


class Addresses:
    """Gathers bans of addresses. Who was banned lately has been found out."""

    def __init__(self, gathered: Gathered) -> None:
        self.gathered = gathered
        self._known: dict[str, tuple[Prefix, Holder] | None] = {}

    def add(self, located: Sequence[LocatedBan]) -> None:
        """Take bans in. A user or a host has no network. Raises ``GeocliError``, where the disk is full."""
        records = {ban.record.ip: ban.record for ban in located if ban.record.ip not in self._known}
        self._learn([(ip, record.country_code, record.asn, record.org) for ip, record in records.items()])
        for ban, record, kept in located:
            place = self._known[record.ip]
            if place is not None:
                moment = ban.banned_at if kept is None else kept.banned_at
                self.gathered.add(place[0], moment, ban.ban_count, place[1])
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()

    def place(
        self, ip: str, country_code: str | None, asn: int | None, org: str | None
    ) -> tuple[Prefix, Holder] | None:
        """The prefix and the holder, ``None`` for what is no address."""
        if ip not in self._known:
            self._learn([(ip, country_code, asn, org)])
        return self._known[ip]

    def _learn(self, found: Sequence[tuple[str, str | None, int | None, str | None]]) -> None:
        listed = map(listed_kind, tags_of([ip for ip, *_ in found]))
        for (ip, country_code, asn, org), kind in zip(found, listed, strict=True):
            try:
                self._known[ip] = prefix_of(ip), Holder(country_code, asn, org, kind)
            except ValueError:
                self._known[ip] = None


class Matter(NamedTuple):
    """What there is to advise about: bans, who is allowed, and how to find out about others."""

    bans: Bans
    allow: AllowList
    holders: Holders
    settings: Settings
    terms: Terms

    def advice(self, budgets: Sequence[int] = ()) -> Advice:
        """The best advice; nobody is inside whose holder is spared, also not where nobody was banned.

        Raises ``GeocliError``.
        """
        evidence, allow = self.bans.evidence(), self.allow
        for _ in range(_MOST_ROUNDS if self.holders else 0):
            advice = best_advice(evidence, allow, self.terms)
            prefixes = [network.prefix for network in advice.networks]
            inside = holders_inside(prefixes, self.settings)
            found = [
                Allowed(prefix, why)
                for stretch, who in inside
                if (why := self.holders.why(who))
                for prefix in covering(*stretch)
            ]
            if not found:
                break
            allow = AllowList([*allow.items, *found], allow.spared, allow.place)
        else:
            if self.holders:
                raise UsageError("too many are spared among too many bans: allow fewer, or lower --budget")
        return best_advice(evidence, allow, self.terms, budgets)


def _local(settings: Settings) -> Settings:
    return settings.replace(provider=(_LOCAL,))


def allow_list(
    spare: Spare, source: BanInput, bans: Bans, ssh_client: str | None, problems: Problems
) -> tuple[AllowList, Holders]:
    """Everybody who must not be banned. Raises ``UsageError`` for what --allow cannot be."""
    from geocli.inputs.allow.machine import machine
    from geocli.inputs.allow.sessions import sessions

    found = [*_ignored(source, problems), *machine(), *sessions(ssh_client, process=os.getppid())]
    if spare.allow_log:
        from geocli.inputs.allow.logins import logins

        found += logins(open_streams(spare.allow_log, sys.stdin, problems), problems)
    holders = Holders()
    items = [Allowed(prefix_of(item.target), item.why) for item in found]
    for text in spare.allow or ():
        items += _what(text, holders)
    place, spared = len(items), Spared(bans.gathered.directory)
    if holders:
        reasons = [holders.why(holder) for holder in bans.gathered.holders]
        for key, order, _, _, number in bans.gathered.rows() if any(reasons) else ():
            if why := reasons[number]:
                spared.add(key, order, why)
    if holders.kinds:
        # Also where nobody was banned: the AS does not tell whom it rents addresses to.
        items += [
            Allowed(prefix_of(network), f"--allow {kind}, {tags}")
            for network, tags in listed_networks()
            if (kind := listed_kind(tags)) in holders.kinds
        ]
    return AllowList(items, spared, place), holders


def holders_inside(prefixes: Iterable[Prefix], settings: Settings) -> Iterator[tuple[Stretch, Holder]]:
    """Who holds what in these networks, also where nobody was banned, by the local databases.

    Raises ``GeocliError``.
    """
    from geocli.providers.mmdb import create

    provider = create(settings)

    def look_up(targets: Sequence[str]) -> Iterator[tuple[int, Holder]]:
        for answer, length in provider.find(targets):
            yield length, Holder(answer.country_code, answer.asn, answer.org)

    stretches = (Stretch(prefix.version, prefix.first, prefix.last) for prefix in prefixes)
    return survey(stretches, look_up)


def networks_of(asns: Iterable[int], settings: Settings, progress: Progress) -> Iterator[tuple[int, Prefix]]:
    """All IPv4 networks of these AS, each with its AS, by the local databases. Raises ``GeocliError``."""
    from geocli.mmdb.networks import Wanted
    from geocli.providers.mmdb import create

    found = create(settings).networks(
        Wanted(asns=frozenset(asns)), (4,), lambda count: progress.show("reading records", count)
    )
    for version, first, last, answer in found:
        for prefix in covering(version, first, last):
            yield answer.asn or 0, prefix


def _ignored(source: BanInput, problems: Problems) -> Iterator[SparedTarget]:
    """What the running fail2ban ignores; that it cannot be asked is told where there is one."""
    from geocli.inputs.allow.spared import Spared as SparedTarget
    from geocli.inputs.fail2ban.client import is_installed
    from geocli.inputs.fail2ban.ignored import ask_ignored

    if not is_installed(source.program):
        return
    try:
        entries = ask_ignored(source.program, source.socket)
    except GeocliError as error:
        problems.mention(UsageError(f"ignoreip is not known: {error}; allow your own addresses with --allow"))
        return
    for jail, entry, targets in entries:
        if not targets:
            problems.mention(UsageError(f"ignoreip of the jail {jail}: {entry} has no address now"))
        yield from (SparedTarget(target, f"ignoreip of the jail {jail}") for target in targets)


def _what(text: str, holders: Holders) -> list[Allowed]:
    """What a value of --allow means. Raises ``UsageError``."""
    if text in CARE:
        holders.kinds.add(text)
        return []
    if re.fullmatch(r"(?i)as[0-9]{1,10}", text):
        holders.asns.add(int(text[2:]))
        return []
    try:
        return [Allowed(prefix_of(parse_target(text)), "--allow")]
    except ValueError:
        pass
    from geocli.inputs.targets import read_targets
    from geocli.model.errors import Problems

    with named_by_user(Path(text)):
        is_there = exists(Path(text))
    if not is_there:
        raise UsageError(
            f"--allow: {text[:80]!r} is no address, network, AS64496 or file, and none of {', '.join(CARE)}"
        )
    problems = Problems()
    targets = [
        target
        for stream in open_streams([Path(text)], None, problems)
        for found in read_targets(stream.chunks())
        for target in found
    ]
    for problem in problems:
        raise problem
    if not targets:
        raise UsageError(f"--allow: {text} holds no address")
    return [Allowed(prefix_of(target), text) for target in targets]


def _moment(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
