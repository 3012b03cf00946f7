"""Let a real fail2ban ban again: failed logins in, its log out (``tests/fixtures/real_month``).

    /usr/bin/python3 -m tools.replay_bans FAILURES > fail2ban.log

A line of FAILURES has the time (UTC), the number of sshd's process, the address, and a letter of
``MESSAGES``. The Python is the one that fail2ban is installed for. Its own filter for sshd reads the lines,
its own counts decide, and its own log comes out; only the clock is that of the lines. What an address sends
while it is banned is left out: it does not come to sshd.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

JAIL = "sshd"
CONFIGURATION = "/etc/fail2ban"
MODE = (
    "aggressive"  # counts who leaves without a login as well: where passwords are off, few do anything else
)
SETTINGS = {
    "maxretry": "3",
    "findtime": "1d",
    "bantime": "1h",
    "addignoreip": "127.0.0.1/8",
    "ignoreself": "false",  # this machine's addresses are not those of that one
    "usedns": "no",
}

_ENDED = "Disconnecting: Too many authentication failures [preauth]"
_EXCEEDED = "error: maximum authentication attempts exceeded for"
MESSAGES = {
    "a": ("Accepted publickey for user from {} port 1024 ssh2",),
    "b": ("Bad protocol version identification '' from {} port 1024",),
    "c": ("Connection closed by {} port 1024 [preauth]",),
    "d": (
        "Received disconnect from {} port 1024:11:  [preauth]",
        "Disconnected from {} port 1024 [preauth]",
    ),
    "f": ("Failed password for user from {} port 1024 ssh2",),
    "F": ("Failed password for invalid user user from {} port 1024 ssh2",),
    "i": ("Invalid user user from {}",),
    "m": (f"{_EXCEEDED} user from {{}} port 1024 ssh2 [preauth]", _ENDED),
    "M": (f"{_EXCEEDED} invalid user user from {{}} port 1024 ssh2 [preauth]", _ENDED),
    "n": ("Did not receive identification string from {}",),
    "r": ("Connection reset by {} port 1024 [preauth]",),
    "u": (
        "fatal: Unable to negotiate with {} port 1024: no matching cipher found. Their offer: none [preauth]",
    ),
}
"""What sshd wrote, in its words. Which user and which port it was plays no part in who is banned."""


class Event(NamedTuple):
    """One message of sshd's, or two that always come together."""

    moment: datetime
    process: int
    address: str
    kind: str

    def lines(self) -> Iterator[str]:
        """As they stand in auth.log, which has no year."""
        for message in MESSAGES[self.kind]:
            yield f"{self.moment:%b %e %H:%M:%S} host sshd[{self.process}]: {message.format(self.address)}"


def events(text: str) -> list[Event]:
    """What a file of failures says."""
    rows = (line.split("\t") for line in text.splitlines())
    return [
        Event(datetime.fromisoformat(f"{moment}+00:00"), int(process), address, kind)
        for moment, process, address, kind in rows
    ]


def replay(happened: Sequence[Event]) -> None:
    """Let fail2ban read these, and write its log to stdout."""
    # Only here: who wants to know what happened needs no fail2ban.
    from fail2ban.server import utils
    from fail2ban.server.mytime import MyTime

    os.environ["TZ"] = "UTC"
    time.tzset()
    # What fail2ban remembers of a session ages by a clock of its own.
    utils.time = SimpleNamespace(time=MyTime.time, sleep=time.sleep)
    MyTime.setTime(happened[0].moment.timestamp())
    _run(_jail(MyTime.time), happened, MyTime.setTime)


def _run(jail: Any, happened: Iterable[Event], set_time: Callable[[float], None]) -> None:
    # A jail's threads sleep and look at the clock. Here their steps are taken one after the other.
    check_ban, check_unban = jail.actions._Actions__checkBan, jail.actions._Actions__checkUnBan  # noqa: SLF001
    banned = jail.actions.banManager
    for event in happened:
        now = event.moment.timestamp()
        for end in sorted(ticket.getEndOfBanTime(banned.getBanTime()) for ticket in banned):
            if end < now:
                set_time(end + 1)
                check_unban(len(banned.getBanList()))
        set_time(now)
        for line in event.lines():
            if event.address not in banned.getBanList():
                jail.filter.processLineAndAdd(line)
                jail.filter.performBan()
                check_ban()


def _jail(clock: Callable[[], float]) -> Any:
    from fail2ban.client.filterreader import FilterReader
    from fail2ban.server.server import Server
    from fail2ban.server.transmitter import Transmitter

    reader = FilterReader(JAIL, JAIL, {"mode": MODE}, basedir=CONFIGURATION)
    if not reader.read():
        sys.exit(f"there is no filter for {JAIL} in {CONFIGURATION}")
    reader.getOptions(None)
    _log_to_stdout(clock)
    server = Server()
    ask = Transmitter(server)
    settings = [["set", JAIL, name, value] for name, value in SETTINGS.items()]
    for command in [["add", JAIL, "polling"], *settings, *reader.convert()]:
        code, said = ask.proceed(command)
        if code:
            sys.exit(f"{command}: {said}")
    return server._Server__jails[JAIL]  # noqa: SLF001 (it gives no jail away)


def _log_to_stdout(clock: Callable[[], float]) -> None:
    class _Line(logging.Formatter):
        """As fail2ban writes it."""

        def format(self, record: logging.LogRecord) -> str:
            stamp = time.strftime("%Y-%m-%d %H:%M:%S,000", time.gmtime(clock()))
            return f"{stamp} {record.name:<24}[728]: {record.levelname:<7} {record.getMessage()}"

    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Line())
    log = logging.getLogger("fail2ban")
    log.addHandler(handler)
    log.setLevel(logging.INFO)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    replay(events(Path(sys.argv[1]).read_text(encoding="utf-8")))
