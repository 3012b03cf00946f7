"""Copying a store into another one, whatever kind each is: what is there already, or better, is left alone.

Batch by batch, each in a transaction of its own: a copy that was interrupted is taken up by starting it
again, which only reads what is there. Every batch is read back, so that the figures in the end are about what
the target holds, not about what it was told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.model.bans import merged
from geocli.model.clocks import latest_believed
from geocli.storage.batch import Batch
from geocli.storage.store.base import BanSpan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from geocli.model.bans import SeenBan
    from geocli.model.records import GeoRecord
    from geocli.storage.store.base import Store


class Copied(NamedTuple):
    """Rows of the source, those that the target did not have, and those that it does not have even now."""

    answers: int = 0
    bans: int = 0
    written: int = 0
    missing: int = 0


def copy(source: Store, target: Store, now: str, progress: Callable[[int], object]) -> Copied:
    """Bring all answers and bans of ``source`` into ``target``; ``now`` becomes its last flush.

    ``progress`` hears how many rows were gone through. Raises ``GeocliError``: then what was copied so far
    stays, and the next copy goes on from there.
    """
    done, latest = Copied(), latest_believed(now)
    for found in _batches(source.everything(), source.every_ban()):
        batch = found._replace(bans=[_taken(ban, latest, now) for ban in found.bans])
        lacking = _lacking(target, batch, latest)
        if lacking.answers or lacking.bans:
            target.replay([Batch.of(*lacking)], now)
        left = _lacking(target, lacking, latest)
        done = Copied(
            done.answers + len(batch.answers),
            done.bans + len(batch.bans),
            done.written + len(lacking.answers) + len(lacking.bans),
            done.missing + len(left.answers) + len(left.bans),
        )
        progress(done.answers + done.bans)
    return done


class _Rows(NamedTuple):
    """A ``Batch`` of records."""

    answers: Sequence[GeoRecord] = ()
    bans: Sequence[SeenBan] = ()


def _batches(answers: Iterable[list[GeoRecord]], bans: Iterable[list[SeenBan]]) -> Iterable[_Rows]:
    for records in answers:
        yield _Rows(answers=records)
    for seen in bans:
        yield _Rows(bans=seen)


def _taken(ban: SeenBan, latest: str, now: str) -> SeenBan:
    """A sighting as the target will have it: one at a time that cannot be right is as of now."""
    if max(ban.first_seen, ban.last_seen) <= latest:
        return ban
    first, last = (now if moment > latest else moment for moment in (ban.first_seen, ban.last_seen))
    return ban._replace(first_seen=first, last_seen=last)


def _lacking(target: Store, batch: _Rows, latest: str) -> _Rows:
    """Those of the rows that would change something in the target."""
    answers = target.find([record.ip for record in batch.answers]) if batch.answers else {}
    spans = [BanSpan(ban.host, ban.jail, ban.ip, ban.banned_at, ban.banned_at) for ban in batch.bans]
    bans = {ban.key: ban for ban in target.seen_bans(spans)}
    return _Rows(
        [
            row
            for row in batch.answers
            if row.ip not in answers or _rank(answers[row.ip], latest) < _rank(row, latest)
        ],
        [ban for ban in batch.bans if ban.key not in bans or merged(bans[ban.key], ban) != bans[ban.key]],
    )


def _rank(record: GeoRecord, latest: str) -> tuple[bool, str]:
    moment = record.resolved_at or ""
    return record.status == "ok", moment if moment <= latest else ""
