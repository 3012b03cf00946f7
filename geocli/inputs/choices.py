"""The ban sources: everything that tells who is banned, in one table.

A ban source costs one file and one line here. The file has ``sniff`` and ``read`` (see ``ban_reader``); it is
imported when a line of the input has the source's hint in it, so an ordinary look-up imports none. Help,
errors, the manual and the tests read this table too.
"""

from __future__ import annotations

from typing import NamedTuple


class BanSource(NamedTuple):
    """One of them.

    ``help`` says what gives it; ``hint`` is a pattern that every line has somewhere with which it begins, and
    few others have. Who comes first in the table is asked first.
    """

    name: str
    module: str
    help: str
    hint: bytes


_FAIL2BAN = "geocli.inputs.fail2ban."

BAN_SOURCES = (
    BanSource(
        "complaint",
        _FAIL2BAN + "complaints",
        "what fail2ban-client says instead of bans",
        rb"^(?:Sorry but the |not banned: |Invalid command|\[\[|\{|\[['\"])|Jail list:|Number of jail"
        rb"|\xe2\x95\x91|ERROR|CRITICAL|[Ss]ocket|contact server|is not banned",
    ),
    BanSource(
        "log",
        _FAIL2BAN + "log",
        "fail2ban.log, journalctl -u fail2ban, syslog",
        rb"fail2ban|f2b|\] (?:Found|Ban|Unban|Restore Ban|Repeal Ban|Increase Ban|Reban|Ignore) "
        rb"| already banned|[A-Z][a-z]{2} {1,2}[0-9]{1,2} [0-2][0-9]:[0-5]|T[0-2][0-9]:[0-5][0-9]:[0-6]",
    ),
    BanSource(
        "with-time",
        _FAIL2BAN + "times",
        "fail2ban-client get JAIL banip --with-time",
        rb"\t[12][0-9]{3}-",
    ),
    BanSource(
        "banned",
        _FAIL2BAN + "literal",
        "fail2ban-client banned, get JAIL banned",
        rb"^[ \t]*\[",
    ),
    BanSource(
        "status",
        _FAIL2BAN + "status",
        "fail2ban-client status JAIL",
        rb"IP list:|^[ |]*[|`]- |^Status",
    ),
)
