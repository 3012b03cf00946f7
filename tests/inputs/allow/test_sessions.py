"""Who is logged in is found in the environment, in shells around sudo, in utmp and in systemd's sessions."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from geocli.inputs.allow.sessions import sessions


def utmp(kind: int, host: str, address: str = "") -> bytes:
    packed = ip_address(address).packed if address else b""
    return struct.pack(
        "<hxxi32s4s32s256shhiii16s20s", kind, 7, b"pts/0", b"ts/0", b"root", host.encode(), 0, 0, 0, 0, 0,
        packed.ljust(16, b"\0"), b"",
    )  # fmt: skip


def targets(*arguments: object) -> list[str]:
    return [item.target for item in sessions(*arguments)]  # type: ignore[arg-type]


def test_the_session_itself() -> None:
    (found, *_) = sessions("198.18.5.6 50412 22", Path("/nowhere"))
    assert found == ("198.18.5.6", "this session (SSH_CLIENT)")
    assert (
        targets("", Path("/nowhere"))
        == targets(None, Path("/nowhere"))
        == targets("x y", Path("/nowhere"))
        == []
    )


def test_shells_around_sudo_are_asked() -> None:
    # The one in the middle is what sudo is: without the variable.
    script = (
        "import os, subprocess, sys;"
        "code = 'from geocli.inputs.allow.sessions import sessions; from pathlib import Path; import os;'"
        "'print([i.target for i in sessions(None, Path(\"/\"), os.getpid())])';"
        "print(subprocess.run([sys.executable, '-c', code], env={}, text=True, capture_output=True).stdout)"
    )
    environment = os.environ | {"SSH_CLIENT": "45.148.10.77 50412 22"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert "'45.148.10.77'" in done.stdout


@pytest.mark.parametrize("place", ["run/utmp", "var/run/utmp"])
def test_utmp(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_bytes(
        utmp(7, "home.example.org", "45.148.10.1")
        + utmp(7, "2a02:4780::7", "2a02:4780::7")
        + utmp(7, ":0")
        + utmp(8, "9.9.9.9", "9.9.9.9")  # who has left
        + utmp(7, "8.8.8.8")[:200]
    )
    assert targets(None, tmp_path) == ["45.148.10.1", "2a02:4780::7", "2a02:4780::7"]


def test_sessions_of_systemd(tmp_path: Path) -> None:
    directory = tmp_path / "run/systemd/sessions"
    directory.mkdir(parents=True)
    (directory / "3").write_text("# private\nUID=0\nREMOTE=1\nREMOTE_HOST=45.148.10.1\n")
    (directory / "4").write_text("UID=0\nREMOTE=0\n")
    os.mkfifo(directory / "5")
    os.mkfifo(directory / "3.ref")
    (directory / "6").write_bytes(b"REMOTE_HOST=\xff\xfe\nREMOTE_HOST=not.an.address\n")
    assert sessions(None, tmp_path) == [("45.148.10.1", "somebody who is logged in (systemd)")]
