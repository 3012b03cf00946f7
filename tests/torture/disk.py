"""What lies on disk, read without geocli's help and without touching it."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from geocli.model.bans import SEEN_FIELDS, SeenBan, check_bans
from geocli.model.records import FIELDS, GeoRecord, check_rows
from geocli.storage.journal.segments import decode


@dataclass
class Disk:
    """The answers and bans in both databases, and what is wrong with the files."""

    journal: list[GeoRecord] = field(default_factory=list)
    store: list[GeoRecord] = field(default_factory=list)
    journal_bans: list[SeenBan] = field(default_factory=list)
    store_bans: list[SeenBan] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def look(data_dir: Path) -> Disk:
    """Read a data directory that nobody is using."""
    disk = Disk()
    with tempfile.TemporaryDirectory() as scratch:
        for file in (data_dir / "journal" / "cache.db", data_dir / "geo.db"):
            try:
                with closing(sqlite3.connect(_copy(file, Path(scratch)))) as database:
                    _read(database, disk)
            except (sqlite3.Error, ValueError) as error:
                disk.problems.append(f"{file.name} cannot be read: {error}")
    if list(data_dir.glob("journal/quarantine/*")):
        disk.problems.append("something is in quarantine")
    return disk


def _copy(file: Path, scratch: Path) -> Path:
    """A copy of a database with its logs, but not their index: as they are found after a restart."""
    for name in (file.name, f"{file.name}-wal", f"{file.name}-journal"):
        if (source := file.with_name(name)).exists():
            shutil.copyfile(source, scratch / name)
    return scratch / file.name


def _read(database: sqlite3.Connection, disk: Disk) -> None:
    (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        disk.problems.append(f"integrity_check: {verdict}")
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "Cache" in tables:
        for (segment,) in database.execute("SELECT value FROM Cache ORDER BY key"):
            batch = decode(segment)
            disk.journal += map(GeoRecord._make, batch.rows())
            disk.journal_bans += map(SeenBan._make, batch.bans)
    if "geo_cache" in tables:
        rows = database.execute(f"SELECT {', '.join(FIELDS)} FROM geo_cache").fetchall()  # noqa: S608 (constants)
        check_rows(rows)
        disk.store += map(GeoRecord._make, rows)
    if "bans" in tables:
        rows = database.execute(f"SELECT {', '.join(SEEN_FIELDS)} FROM bans").fetchall()  # noqa: S608 (the same)
        check_bans(rows)
        disk.store_bans += map(SeenBan._make, rows)
