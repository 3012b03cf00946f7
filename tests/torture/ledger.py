"""What was printed, and whether it is still there."""

from __future__ import annotations

from collections.abc import Iterable

from geocli.model.records import GeoRecord
from tests.torture.disk import Disk

_Key = tuple[str, str, str, str]


class Ledger:
    """The best answer about each address that was ever printed or found on disk, and all bans."""

    def __init__(self) -> None:
        self._best: dict[str, GeoRecord] = {}
        self._seen: set[GeoRecord] = set()
        self._contents: dict[tuple[str, str, str | None], GeoRecord] = {}
        self._bans: set[_Key] = set()
        self.lost: list[str] = []
        self.conflicting: list[str] = []

    def add(self, records: Iterable[GeoRecord]) -> None:
        """Take in what was printed or found. Of the rest only "reserved" and "error" need not be kept."""
        for record in records:
            if record.status in {"ok", "unknown"}:
                self._agree(record)
                best = self._best.get(record.ip)
                if best is None or _rank(record) > _rank(best):
                    self._best[record.ip] = record

    def add_bans(self, bans: Iterable[_Key]) -> None:
        """Take in what was recorded: host, jail, address and beginning of each."""
        self._bans.update(bans)

    def check(self, disk: Disk) -> None:
        """Whether everything is there."""
        found: dict[str, GeoRecord] = {}
        for record in (*disk.journal, *disk.store):
            self._agree(record)
            if record.ip not in found or _rank(record) > _rank(found[record.ip]):
                found[record.ip] = record
        bans = {ban.key for ban in (*disk.journal_bans, *disk.store_bans)}
        self.lost += [f"lost: the ban {ban}" for ban in sorted(self._bans - bans)]
        self._bans |= bans
        for ip, record in self._best.items():
            if ip not in found or _rank(found[ip]) < _rank(record):
                self.lost.append(f"lost: {record}\n  there is: {found.get(ip)}")

    def _agree(self, record: GeoRecord) -> None:
        """A source says the same about an address at all times, but for "unknown" and "ok"."""
        if record in self._seen:
            return
        self._seen.add(record)
        content = record._replace(resolved_at=None)
        other = self._contents.setdefault((record.ip, record.status, record.source), content)
        if other != content:
            self.conflicting.append(f"conflicting: {record}\n  and: {other}")


def _rank(record: GeoRecord) -> tuple[bool, str]:
    """The replay rule: an answer before "unknown", then the newer."""
    return record.status == "ok", record.resolved_at or ""
