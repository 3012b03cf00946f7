"""Answers for tests of stores."""

from __future__ import annotations

from collections.abc import Sequence

from geocli.model.bans import SeenBan
from geocli.model.records import GeoRecord
from geocli.storage.batch import Batch
from geocli.storage.store.base import Store

NOW = "2026-11-23T10:00:00Z"
OLD, NEW = "2026-11-01T00:00:30Z", "2026-11-01T00:00:10Z"


def record(ip: str, country: str | None = "DE", second: int = 0, org: str | None = None) -> GeoRecord:
    when = f"2026-11-01T00:00:{second:02}Z"
    return GeoRecord(
        ip, "ok" if country else "unknown", country, org=org, source="mmdb:test-1", resolved_at=when
    )


def answers(*batches: Sequence[GeoRecord]) -> list[Batch]:
    return [Batch.of(batch) for batch in batches]


def every_ban(store: Store) -> list[SeenBan]:
    return [ban for batch in store.every_ban() for ban in batch]
