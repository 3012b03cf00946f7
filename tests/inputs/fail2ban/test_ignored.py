"""Whom a real fail2ban ignores."""

from __future__ import annotations

from pathlib import Path

import pytest

from geocli.inputs.fail2ban.ignored import Ignored, ask_ignored
from geocli.model.errors import GeocliError
from tests.support.fail2ban_server import Fail2ban


def test_a_server_tells_what_each_jail_ignores(fail2ban_server: Fail2ban) -> None:
    entries = ("198.18.0.9", "45.148.10.0/24", "2a02:4780::7", "localhost", "nowhere.invalid")
    assert ask_ignored(fail2ban_server.client, fail2ban_server.socket) == []
    for entry in entries:
        fail2ban_server("set", "my-jail", "addignoreip", entry)
    fail2ban_server("set", "sshd", "addignoreip", "9.9.9.9")
    try:
        found = ask_ignored(fail2ban_server.client, fail2ban_server.socket)
    finally:
        for entry in entries:
            fail2ban_server("set", "my-jail", "delignoreip", entry)
        fail2ban_server("set", "sshd", "delignoreip", "9.9.9.9")
    assert Ignored("sshd", "9.9.9.9", ("9.9.9.9",)) in found
    of_jail = {item.entry: item.targets for item in found if item.jail == "my-jail"}
    assert of_jail.pop("localhost")[0] in {"127.0.0.1", "::1"}
    assert of_jail == {
        "198.18.0.9": ("198.18.0.9",),
        "45.148.10.0/24": ("45.148.10.0/24",),
        "2a02:4780::7": ("2a02:4780::7",),
        "nowhere.invalid": (),
    }


def test_no_server_is_told(tmp_path: Path) -> None:
    with pytest.raises(GeocliError):
        ask_ignored("/bin/false", tmp_path / "socket")
