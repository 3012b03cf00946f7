"""``geocli summarize``: hits and addresses by place, of any text, or of what geocli remembers."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.cli.app import run
from geocli.inputs.targets import open_streams, read_targets
from geocli.lookup import counter, hit_counts
from geocli.lookup.counter import TargetCounter
from geocli.model.errors import Problems
from geocli.system import process_pool
from tests.conftest import Geocli

LOG = "8.8.8.8 a\n8.8.4.4 b\n1.1.1.1 c\n8.8.8.8 d 10.0.0.1\nnothing\n"


def rows(geocli: Geocli, *arguments: str | Path, stdin: str | None = None) -> list[dict[str, Any]]:
    done = geocli("summarize", "-j", *arguments, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("country", [("US", 2, 3), ("AU", 1, 1), (None, 1, 1)]),
        ("asn", [(15169, 2, 3), (13335, 1, 1), (None, 1, 1)]),
        ("org", [("Google LLC", 2, 3), ("Cloudflare, Inc.", 1, 1), (None, 1, 1)]),
        ("network", [("8.8.8.0/24", 1, 2), ("1.1.1.0/24", 1, 1), ("10.0.0.1", 1, 1), ("8.8.4.0/24", 1, 1)]),
        ("region", [(None, 4, 5)]),
    ],
)
def test_groups(geocli: Geocli, by: str, expected: list[tuple[object, int, int]]) -> None:
    found = rows(geocli, "--by", by, stdin=LOG)
    told = [(next(iter(row.values())), row["addresses"], row["hits"]) for row in found]
    if by == "region":  # with the country that it is in
        assert [(row["region"], row["country_code"]) for row in found] == [
            (None, "US"), (None, "AU"), (None, None),
        ]  # fmt: skip
    else:
        assert told == expected
    assert abs(sum(row["share"] for row in found) - 1) < 0.001


def test_reserved_addresses_can_be_left_out(geocli: Geocli) -> None:
    assert sum(row["hits"] for row in rows(geocli, "-x", stdin=LOG)) == 4


def test_files_and_gz_and_stdin_are_one(geocli: Geocli, tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(LOG.encode()) + gzip.compress(b"8.8.8.8\n"))
    (tmp_path / "b").write_text("8.8.8.8\n")
    found = rows(geocli, tmp_path / "a.gz", "-i", tmp_path / "b", "-", "--top", "1", stdin="8.8.8.8\n")
    assert found == [
        {
            "country_code": "US", "country_name": "United States",
            "addresses": 2, "hits": 6, "share": 0.75,
        }
    ]  # fmt: skip


def test_what_is_damaged_or_missing_is_said_and_the_rest_counted(geocli: Geocli, tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(LOG.encode() * 1000)[:-20])
    (tmp_path / "fine").write_text("8.8.8.8\n")
    done = geocli("summarize", "-j", tmp_path / "cut.gz", tmp_path / "missing", tmp_path / "fine")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 2
    assert json.loads(done.stdout.splitlines()[0])["country_code"] == "US"


def test_answers_are_journalled_unless_not_wanted(geocli: Geocli, data_dir: Path) -> None:
    geocli("summarize", "--no-cache", stdin=LOG)
    assert not data_dir.exists()
    geocli("summarize", stdin=LOG)
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 3


def test_the_store_and_the_journal_together_are_counted(geocli: Geocli) -> None:
    geocli("8.8.8.8", "1.1.1.1")
    geocli("flush")
    geocli("9.9.9.9", "8.8.4.4")
    geocli("--refresh", "8.8.8.8")
    done = subprocess.run(
        ["sh", "-c", '"$@" <&-', "sh", *geocli.command, "summarize", "-j"],
        env=geocli.env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["country_code"], row["addresses"], row["hits"]) for row in found] == [
        ("US", 3, 3), ("AU", 1, 1),
    ]  # fmt: skip


TEXTS = st.lists(
    st.sampled_from([
        b"8.8.8.8 x\n", b"1.1.1.1\n", b"# 9.9.9.9\n", b"5.5.5.5 # 6.6.6.6\n", b"2001:4860::1 y\n", b"no\n",
        b"[{'7.7.7.7': ['4.4.4.4', '3.3.3.3']}]\n", b"8.8.8.8", b" ", b"x" * 6000 + b" ", b"\n",
    ]),
    max_size=60,
)  # fmt: skip


@given(texts=TEXTS)
def test_workers_count_the_same(tmp_path_factory: pytest.TempPathFactory, texts: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("count") / "log"
    path.write_bytes(b"".join(texts))
    expected = Counter(target for found in read_targets([path.read_bytes()]) for target in found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counter, "processors", lambda: 2)
        patch.setattr(process_pool, "processors", lambda: 2)
        patch.setattr(counter, "_ALONE", -1)
        patch.setattr(counter, "_PART", 1)
        patch.setattr(
            "geocli.inputs.stream._CHUNK", 5000
        )  # longer than a word that is kept, or it never ends
        problems = Problems()

        def counted() -> dict[str, int]:
            found = TargetCounter(path.parent, problems, lambda _: None)
            hits = found.count(open_streams([path], None, problems))
            return {ip: count for batch in hits.batches(2) for ip, count in batch.items()}

        assert counted() == expected
        patch.setattr(hit_counts, "_MOST", 3)
        assert counted() == expected
        patch.setattr(hit_counts, "_MOST", 1000)
        patch.setattr(counter, "Workers", _Broken)
        assert counted() == expected
        assert not list(problems)


class _Broken(process_pool.Workers):
    """Workers of which the second result never comes."""

    _taken = 0

    def take(self) -> bytearray:
        self._taken += 1
        if self._taken == 2:
            raise process_pool.WorkerFailedError
        return super().take()


@pytest.mark.parametrize("command", ["summarize --by asn", "summarize --by network -x"])
def test_what_does_not_fit_into_memory_is_counted_all_the_same(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"from {n % 7 + 1}.{n % 50}.0.{n % 3} port\n10.0.0.{n % 5}\n" for n in range(400)))
    monkeypatch.setenv("GEOCLI_DATA_DIR", str(tmp_path / "data"))
    said = []
    for most in (400_000, 10):
        monkeypatch.setattr(hit_counts, "_MOST", most)
        assert run([*command.split(), str(log), "-j"]) == 0
        said.append(sorted(capfd.readouterr().out.splitlines()))
    assert said[0]
    assert said[0] == said[1]
