"""Where something runs out, answers are printed, what is journalled is kept, and one line says why."""

from __future__ import annotations

import json
import os
import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Geocli, need
from tests.support.targets import addresses

pytestmark = pytest.mark.slow  # each with a process, a file system or a clock of its own

KILO = 1024
MEGA = 1024 * KILO


def limited(
    geocli: Geocli, what: int, most: int, *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs with a limit of the system's. Whatever happens, stderr has one line at most, and no traceback."""
    done = subprocess.run(
        [*geocli.command, *arguments],
        input=stdin,
        capture_output=True,
        env=geocli.env,
        text=True,
        check=False,
        preexec_fn=partial(resource.setrlimit, what, (most, most)),
    )
    assert done.returncode in {0, 75}, done.stderr
    assert len(done.stderr.splitlines()) == (1 if done.returncode else 0), done.stderr
    return done


def stats(geocli: Geocli) -> tuple[int, int]:
    """How many answers wait, and how many are stored."""
    state = json.loads(geocli("stats", "-j").stdout)
    return state["dirty"], state["stored"]


def test_answers_are_printed_though_the_journal_cannot_grow(geocli: Geocli) -> None:
    geocli("8.8.8.8")
    texts = addresses(3000)
    done = limited(geocli, resource.RLIMIT_FSIZE, 100 * KILO, "-f", "ip", stdin="\n".join(texts))
    assert done.returncode == 75
    assert done.stdout.split() == texts
    assert stats(geocli) == (1, 0)
    assert geocli(stdin="\n".join(texts)).returncode == 0
    assert stats(geocli) == (3001, 0)


def test_a_store_that_cannot_grow_is_left_as_it_is(geocli: Geocli) -> None:
    geocli("8.8.8.8")
    geocli("flush")
    geocli(stdin="\n".join(addresses(3000)))
    done = limited(geocli, resource.RLIMIT_FSIZE, 300 * KILO, "flush")
    assert done.returncode == 75
    assert stats(geocli) == (3000, 1)
    assert geocli("flush").returncode == 0
    assert stats(geocli) == (0, 3001)


@pytest.mark.parametrize("files", range(5, 14))
def test_too_many_open_files_are_a_reason_to_try_again(geocli: Geocli, files: int) -> None:
    geocli("8.8.8.8")
    look_up = limited(geocli, resource.RLIMIT_NOFILE, files, "-f", "ip", "9.9.9.9", "1.1.1.1")
    flush = limited(geocli, resource.RLIMIT_NOFILE, files, "flush")
    if files == 5:
        assert (look_up.returncode, flush.returncode) == (75, 75)
    if look_up.returncode == 0:
        assert sum(stats(geocli)) == 3
    assert geocli("flush").returncode == 0
    assert stats(geocli)[1] >= 1


def test_too_little_memory_is_a_reason_to_try_again(geocli: Geocli) -> None:
    """From a little more than what Python takes, to more than enough."""
    measure = "import geocli.cli.app, sqlite3; print(open('/proc/self/status').read())"
    status = subprocess.run(
        [sys.executable, "-c", measure], capture_output=True, text=True, check=True
    ).stdout
    peak = next(int(line.split()[1]) * KILO for line in status.splitlines() if line.startswith("VmPeak"))
    codes = {
        limited(geocli, resource.RLIMIT_AS, peak + more, *arguments).returncode
        for more in range(4 * MEGA, 40 * MEGA, 6 * MEGA)
        for arguments in (["-f", "ip", "--refresh", "8.8.8.8"], ["flush"])
    }
    assert codes == {0, 75}
    assert geocli("flush").returncode == 0
    assert stats(geocli) == (0, 1)


Small = Callable[[str], list[tuple[int, str, str]]]


@pytest.fixture
def small(geocli: Geocli, tmp_path: Path) -> Small:
    """Runs lines of shell, ``geocli`` among them, with a data directory in a file system of a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=1m,mode=700 none {disk}"
    alone = [need("unshare"), "--mount", "--propagation", "private", "sh", "-ec"]
    if os.geteuid() != 0 or subprocess.run([*alone, mount], capture_output=True, check=False).returncode:
        pytest.skip("only root may mount, and not everywhere")

    def files(number: int) -> tuple[Path, Path, Path]:
        return tmp_path / f"{number}.code", tmp_path / f"{number}.out", tmp_path / f"{number}.err"

    def run(lines: str) -> list[tuple[int, str, str]]:
        script = f'{mount}\ngeocli() {{ {shlex.join(geocli.command)} "$@"; }}\n'
        for number, line in enumerate(lines.splitlines()):
            code, out, err = files(number)
            script += f"{line.strip()} > {out} 2> {err} && echo 0 > {code} || echo $? > {code}\n"
        env = Geocli(disk / "data").env
        subprocess.run([*alone, script], env=env, stdin=subprocess.DEVNULL, check=True)
        return [
            (int(code.read_text()), out.read_text(), err.read_text())
            for code, out, err in (files(number) for number in range(len(lines.splitlines())))
        ]

    return run


def test_a_full_disk_costs_nothing_that_was_journalled(small: Small, tmp_path: Path) -> None:
    texts = addresses(9000)
    few, many = tmp_path / "few", tmp_path / "many"
    few.write_text("\n".join(texts[:3000]))
    many.write_text("\n".join(texts[3000:]))
    room = f"mount -o remount,size=30m {tmp_path / 'disk'}"
    first, flush, more, _, again, last = small(
        f"""geocli -f ip -i {few}
        geocli flush
        geocli -f ip -i {many}
        {room}
        geocli flush
        geocli stats -j"""
    )
    assert (first[0], first[1].split(), first[2]) == (0, texts[:3000], "")
    assert (flush[0], len(flush[2].splitlines())) == (75, 1)
    assert "geo.db: the disk is full" in flush[2]
    assert (more[0], more[1].split(), len(more[2].splitlines())) == (75, texts[3000:], 1)
    assert "cache.db: the disk is full" in more[2]
    assert again == (0, "", "")
    state = json.loads(last[1])
    assert state["dirty"] == 0
    assert state["stored"] >= 3000


def test_what_is_sorted_never_leaves_the_data_directory(tmp_path: Path) -> None:
    geocli = Geocli(tmp_path / "it's here")
    geocli("-f", "ip", stdin="\n".join(addresses(20_000)))
    calls = tmp_path / "calls"
    subprocess.run(
        [need("strace"), "--follow-forks", f"--output={calls}", "--trace=openat", *geocli.command, "flush"],
        env=geocli.env,
        check=True,
    )
    temporary = {Path(name).parent for name in re.findall(r'"([^"]*etilqs_[^"]*)"', calls.read_text())}
    assert temporary == {geocli.data_dir}
    assert not list(geocli.data_dir.glob("*etilqs*"))


def test_what_cannot_be_written_is_answered(small: Small, tmp_path: Path) -> None:
    _, _, known, new, flush, stats = small(
        f"""geocli 8.8.8.8
        mount -o remount,ro {tmp_path / "disk"}
        geocli -f ip 8.8.8.8
        geocli -f ip 8.8.8.8 9.9.9.9
        geocli flush
        geocli stats -j"""
    )
    assert known == (0, "8.8.8.8\n", "")
    assert new[:2] == (4, "8.8.8.8\n9.9.9.9\n")
    assert flush[0] == 4
    assert all(len(err.splitlines()) == 1 and str(tmp_path / "disk") in err for *_, err in (new, flush))
    assert json.loads(stats[1])["dirty"] == 1


def test_a_clock_that_goes_back_loses_nothing(geocli: Geocli, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, time\nreal = time.time\ntime.time = lambda: real() + float(os.environ['AHEAD'])\n"
    )
    ahead, now = (
        Geocli(geocli.data_dir, {"PYTHONPATH": str(tmp_path), "AHEAD": seconds}) for seconds in ("86400", "0")
    )
    assert ahead("8.8.8.8").returncode == 0
    (first,) = ahead("-f", "resolved_at", "8.8.8.8").stdout.split()
    for flush_when in (ahead, now):
        assert now("8.8.8.8", "9.9.9.9").returncode == 0
        state = json.loads(now("stats", "-j").stdout)
        assert state["oldest_dirty_seconds"] is None or state["oldest_dirty_seconds"] >= 0
        checked = now("stats", "--check", "--max-db-age", "99y")
        # What was answered by a clock that was ahead is said, until a flush.
        assert (checked.returncode == 1) == ("of the future" in checked.stdout), checked.stderr
        assert now("--refresh", "8.8.8.8").returncode == 0
        assert flush_when("flush").returncode == 0
        assert stats(now) == (0, 2)
    (last,) = now("-f", "resolved_at", "8.8.8.8").stdout.split()
    assert last < first  # what was of the future gives way, and the answer that is right stays
