"""Access control lists of NFSv4: out of bytes as a server's come, and what is refused because of one."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.errors import DamagedFileError
from geocli.system.nfs4_acl import writers
from geocli.system.ownership import check_trusted
from tests.support.examples import examples

ALLOW, DENY = 0, 1
FOR_GROUP, INHERIT_ONLY = 0x40, 0x0B
READ, ADD, REMOVE, CHANGE_LIST = 0x1200A9, 0x6, 0x40, 0x40000

Entry = tuple[int, int, int, str]


def acl(*entries: Entry) -> bytes:
    packed = struct.pack(">I", len(entries))
    for kind, flags, mask, who in entries:
        text = who.encode()
        packed += struct.pack(">4I", kind, flags, mask, len(text)) + text + bytes(-len(text) % 4)
    return packed


OWN = [
    (ALLOW, 0, READ | ADD | REMOVE | CHANGE_LIST, "OWNER@"),
    (ALLOW, FOR_GROUP, READ, "GROUP@"),
    (ALLOW, 0, READ, "EVERYONE@"),
]
"""What a server makes of the mode 0755."""

MORE: dict[str, tuple[list[Entry], str | None]] = {
    "nothing": ([], None),
    "a reader": ([(ALLOW, 0, READ, "alice@example.org")], None),
    "a writer": ([(ALLOW, 0, READ | ADD, "alice@example.org")], "alice@example.org"),
    "a writer by number": ([(ALLOW, 0, ADD, "54321")], "54321"),
    "one who may remove": ([(ALLOW, 0, REMOVE, "alice@example.org")], "alice@example.org"),
    "one who may change the list": ([(ALLOW, 0, CHANGE_LIST, "alice@example.org")], "alice@example.org"),
    "everyone": ([(ALLOW, 0, ADD, "EVERYONE@")], "EVERYONE@"),
    "a group": ([(ALLOW, FOR_GROUP, ADD, "nobody-of-that-name@example.org")], "nobody-of-that-name@"),
    "root": ([(ALLOW, 0, ADD, "root@example.org"), (ALLOW, 0, ADD, "0")], None),
    "oneself": ([(ALLOW, 0, ADD, str(os.geteuid()))], None),
    "for what is made inside": ([(ALLOW, INHERIT_ONLY, ADD, "alice@example.org")], None),
    "denied before": (
        [(DENY, 0, ADD, "alice@example.org"), (ALLOW, 0, READ | ADD, "alice@example.org")],
        None,
    ),
    "all denied before": ([(DENY, 0, ADD, "EVERYONE@"), (ALLOW, 0, READ | ADD, "alice@example.org")], None),
    "denied too late": ([(ALLOW, 0, ADD, "alice@example.org"), (DENY, 0, ADD, "EVERYONE@")], "alice@"),
    "an audit": ([(2, 0, ADD, "alice@example.org")], None),
    "a hostile name": ([(ALLOW, 0, ADD, "a\x1b[31m\n")], "a\\x1b[31m"),
}


@pytest.mark.parametrize("more", MORE)
def test_who_else_may_write_by_a_list_of_nfsv4_is_refused(
    more: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries, said = MORE[more]
    home = tmp_path / "home"
    home.mkdir(0o755)

    def getxattr(path: str, name: str) -> bytes:
        if (path, name) == (str(home), "system.nfs4_acl"):
            return acl(*OWN, *entries)
        raise OSError(95, os.strerror(95))

    monkeypatch.setattr(os, "getxattr", getxattr)
    if said is None:
        check_trusted([home])
        return
    with pytest.raises(DamagedFileError) as refused:
        check_trusted([home])
    assert f"{home}: can be written by other users ({said}" in str(refused.value)
    assert f"see nfs4_getfacl {home}" in str(refused.value)


def test_a_list_that_is_cut_short_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = acl(*OWN)
    for length in range(len(whole) - 3):
        with pytest.raises(ValueError, match="cut short"):
            list(writers(whole[:length]))
    monkeypatch.setattr(os, "getxattr", lambda *_: whole[:9])
    with pytest.raises(DamagedFileError, match="cut short"):
        check_trusted([tmp_path])


@examples(200)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_none(data: bytes) -> None:
    with suppress(ValueError):  # and nothing else
        assert len(list(writers(data))) <= len(data) // 16
