"""A field added to a record in a copy of the package, beside a journal and a store of the old one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from geocli.storage.journal.journal import Journal
from tests.conftest import MakeMmdb
from tests.support.postgres_server import Postgres, postgres, running_postgres

__all__ = ["postgres", "running_postgres"]

PACKAGE = Path(__file__).parents[2] / "geocli"

# All that a new field takes: where it is a record's, where it is stored, and who fills it.
CHANGES: dict[str, tuple[tuple[str, str], ...]] = {
    "model/records.py": (
        (r"\n\n\nFIELDS: ", "\n    remark: str | None = None\n\n\nFIELDS: "),
        (r"\n\n\nNOTHING = Answer\(\)", "\n    remark: str | None = None\n\n\nNOTHING = Answer()"),
    ),
    "storage/store/columns.py": (
        (r"\Z", '\n\nADDED += (Column("geo_cache", "remark", "TEXT"),)\n'),
    ),
    "mmdb/layouts.py": ((r"asn=number, org=org\)", 'asn=number, org=org, remark=text(data.get("remark")))'),),
}  # fmt: skip

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def older(tmp_path: Path, make_mmdb: MakeMmdb) -> Run:
    return runner(PACKAGE.parent, tmp_path, make_mmdb)


@pytest.fixture
def newer(tmp_path: Path, make_mmdb: MakeMmdb) -> Run:
    """The package with a new field ``remark``."""
    copy = tmp_path / "newer" / "geocli"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name, changes in CHANGES.items():
        text = (copy / name).read_text(encoding="utf-8")
        for pattern, put in changes:
            text, count = re.subn(pattern, put.replace("\\", r"\\"), text, count=1)
            assert count == 1, f"{name}: {pattern}"
        (copy / name).write_text(text, encoding="utf-8")
    return runner(copy.parent, tmp_path, make_mmdb)


def runner(root: Path, tmp_path: Path, make_mmdb: MakeMmdb) -> Run:
    """Runs the geocli below ``root``, with a database that has remarks."""
    database = tmp_path / "remarks.mmdb"
    if not database.exists():
        make_mmdb("remarks", {"8.0.0.0/6": {"country_code": "US", "remark": "seen before"}})

    def run(*arguments: str, code: int = 0, store: str | None = None) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GEOCLI_")}
        env = kept | {"GEOCLI_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(root)}
        if store is not None:
            env["GEOCLI_STORE_URL"] = store
        done = subprocess.run(
            [sys.executable, "-m", "geocli", *arguments],
            cwd=root, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_url()


@pytest.mark.slow
def test_what_an_older_geocli_left_is_read_and_flushed(
    older: Run, newer: Run, tmp_path: Path, store: str | None
) -> None:
    database = ("--mmdb", str(tmp_path / "remarks.mmdb"))
    older(*database, "8.8.8.8", "9.9.9.9", store=store)
    older("flush", store=store)
    older(*database, "8.8.4.4", store=store)  # waits in the journal

    def ask(*addresses: str) -> list[tuple[object, object]]:
        done = newer(*database, "-j", *addresses, store=store)
        records = [json.loads(line) for line in done.stdout.splitlines()]
        assert {record["country_code"] for record in records} == {"US"}
        return [(record["ip"], record["remark"]) for record in records]

    # What is stored and what waits serves as it is; what is new has the field.
    assert ask("8.8.8.8", "8.8.4.4", "8.8.8.9") == [
        ("8.8.8.8", None),
        ("8.8.4.4", None),
        ("8.8.8.9", "seen before"),
    ]
    counts = json.loads(newer("stats", "-j", store=store).stdout)
    assert (counts["stored"], counts["dirty"]) == (2, 2)
    assert json.loads(newer("flush", "-j", store=store).stdout)["flushed"] == 2
    assert ask("8.8.8.8", "8.8.4.4", "8.8.8.9")[-1] == ("8.8.8.9", "seen before")
    newer(*database, "--refresh", "8.8.8.8", store=store)
    newer("flush", store=store)
    assert ask("8.8.8.8") == [("8.8.8.8", "seen before")]
    assert json.loads(newer("stats", "-j", store=store).stdout)["stored"] == 4


@pytest.mark.slow
def test_an_older_geocli_says_that_there_is_a_newer_and_loses_nothing(
    older: Run, newer: Run, tmp_path: Path, store: str | None
) -> None:
    database = ("--mmdb", str(tmp_path / "remarks.mmdb"))
    newer(*database, "8.8.8.8", store=store)
    done = older("flush", code=4, store=store)
    assert len(done.stderr.splitlines()) == 1
    assert "newer geocli" in done.stderr
    newer("flush", store=store)
    done = older(*database, "-f", "country_code", "8.8.4.4", code=4, store=store)
    assert done.stdout == "US\n"  # it answers all the same
    assert len(done.stderr.splitlines()) == 1
    assert "newer geocli" in done.stderr
    with closing(Journal(tmp_path / "data" / "journal", 1)) as journal:
        assert journal.state().dirty == 1
    assert older("flush", code=4, store=store).stderr.count("newer geocli") == 1
    assert json.loads(newer("flush", "-j", store=store).stdout)["flushed"] == 1
    assert json.loads(newer("stats", "-j", store=store).stdout)["stored"] == 2
