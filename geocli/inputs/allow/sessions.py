"""Who is logged in from where: the session that geocli was started from, utmp, and systemd's sessions.

``utmp`` is records of 384 bytes (utmp(5), on Linux the same on 32 and 64 bits): type, process, line, id,
user, host, and later the address in network byte order. systemd keeps a file for each session in
``/run/systemd/sessions`` with ``REMOTE_HOST=``. sudo takes ``SSH_CLIENT`` out of the environment: the shells
around it still have it.
"""

from __future__ import annotations

import re
import struct
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING

from geocli.inputs.allow.spared import Spared, spared

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECORD = struct.Struct("<h2xi32s4s32s256shhiii16s20s")
_USER_PROCESS = 7
_MOST_RECORDS = 10_000
_MOST_ANCESTORS = 64
_LARGEST = 1 << 20
_SSH_CLIENT = re.compile(rb"(?:\A|\0)SSH_(?:CLIENT|CONNECTION)=([0-9A-Fa-f.:]+)(?:%\S+)? ")
_REMOTE_HOST = re.compile(r"(?m)^REMOTE_HOST=(\S+)$")


def sessions(ssh_client: str | None, root: Path = Path("/"), process: int | None = None) -> list[Spared]:
    """Where people are logged in from. ``ssh_client`` is that variable, ``process`` a process of theirs."""
    return [
        *spared((ssh_client or "").split()[:1], "this session (SSH_CLIENT)"),
        *spared(_around(root, process), "this session (SSH_CLIENT of a shell around it)"),
        *spared(_utmp(root), "somebody who is logged in (utmp)"),
        *spared(_systemd(root), "somebody who is logged in (systemd)"),
    ]


def _around(root: Path, process: int | None) -> Iterator[str]:
    for _ in range(_MOST_ANCESTORS):
        if process is None or process <= 1:
            return
        directory = root / "proc" / str(process)
        for match in _SSH_CLIENT.finditer(_read(directory / "environ")):
            yield match[1].decode()
        # The name of a program is in brackets, and may have brackets and blanks in it.
        fields = _read(directory / "stat").rpartition(b")")[2].split()
        process = int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else None


def _utmp(root: Path) -> Iterator[str]:
    for name in ("run/utmp", "var/run/utmp"):
        data = _read(root / name, _RECORD.size * _MOST_RECORDS)
        for begin in range(0, len(data) - _RECORD.size + 1, _RECORD.size):
            record = _RECORD.unpack_from(data, begin)
            if record[0] != _USER_PROCESS:
                continue
            host, address = record[5].rstrip(b"\0"), record[11]
            yield host.decode("ascii", "replace")
            if any(address):
                yield str(IPv6Address(address) if any(address[4:]) else IPv4Address(address[:4]))


def _systemd(root: Path) -> Iterator[str]:
    try:
        files = sorted((root / "run/systemd/sessions").iterdir())
    except OSError:
        return
    for file in files[:_MOST_RECORDS]:
        if not file.name.endswith(".ref"):
            yield from _REMOTE_HOST.findall(_read(file).decode("ascii", "replace"))


def _read(path: Path, size: int = _LARGEST) -> bytes:
    try:
        if not path.is_file():
            return b""  # the .ref beside a session is a pipe
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""
