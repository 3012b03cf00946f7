"""Ask a running fail2ban through its own ``fail2ban-client``.

``banned`` tells who is banned, without ambiguity and in one answer; then ``get JAIL banip --with-time`` adds
the times, jail by jail, for the identifiers that its lines do not split. What fails there costs times, never
a ban. fail2ban-client complains on stdout about a command and on stderr about the server: the two are never
mixed, and the exit code decides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from geocli.inputs.fail2ban.literal import read_jails
from geocli.inputs.fail2ban.times import read_times_line
from geocli.model.bans import Ban
from geocli.model.errors import GeocliError, TryAgainError, UsageError
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT = 30
"""Seconds for one answer. 50,000 bans take 0.3."""

_LARGEST_ANSWER = 1 << 26
_AT_ONCE = 4
_ELSEWHERE = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # cron searches less
# fail2ban-client writes in the encoding of its locale, and fails where that cannot express an identifier.
# A shell sets both for it: the rest of the environment is its own.
_IN_UTF8 = 'LC_ALL=C.UTF-8 PYTHONIOENCODING=utf-8:surrogateescape exec "$0" "$@"'
_LOG_HEAD = re.compile(r"\S{1,32} \S{1,32} fail2ban\S{0,64}\s{1,40}\[\d{1,10}\]: [A-Z]{1,16}\s{1,16}")


class _Answer(NamedTuple):
    code: int
    out: bytes
    err: bytes


def ask_server(program: str | None, socket: Path | None, jail: str | None) -> list[Ban]:
    """All bans of a running fail2ban, or those of one jail, jail by jail in fail2ban's order.

    ``program`` is fail2ban-client (``None``: where it usually is), ``socket`` the server's if it is not where
    fail2ban's configuration says. Raises ``UsageError`` and ``TryAgainError``.
    """
    client = _client(program, socket)
    jails = _jails(client, socket)
    if jail is not None:
        jails = [(name, identifiers) for name, identifiers in jails if name == jail]
        if not jails:
            raise UsageError(f"no jail is called {clean_text(jail)!r}: fail2ban-client status names them")
    names = [name for name, identifiers in jails if identifiers]
    times = dict(zip(names, _times_of(client, names), strict=True))
    return [
        ban
        for name, identifiers in jails
        for ban in _joined(clean_text(name), identifiers, times.get(name, []))
    ]


def ask_every_jail(program: str | None, socket: Path | None, *words: str) -> list[tuple[str, str]]:
    """What ``get JAIL WORDS`` prints for each jail, with its name as it is; nothing where that fails.

    Raises ``UsageError`` and ``TryAgainError`` when the server cannot be asked.
    """
    client = _client(program, socket)
    names = [name for name, _ in _jails(client, socket)]
    answers = [(name, _ask([*client, "get", name, *words])) for name in names]
    return [(name, answer.out.decode("utf-8", "replace")) for name, answer in answers if answer.code == 0]


def _client(program: str | None, socket: Path | None) -> list[str]:
    return [_find(program), *(["-s", str(socket)] if socket is not None else [])]


def jail_names(program: str | None, socket: Path | None, patience: float) -> list[str]:
    """The jails of a running server that answers within ``patience`` seconds.

    Raises ``UsageError`` and ``TryAgainError``.
    """
    return [name for name, _ in _jails(_client(program, socket), socket, patience)]


def _jails(
    client: list[str], socket: Path | None, patience: float | None = None
) -> list[tuple[str, list[str]]]:
    """Each jail and who is banned in it."""
    answer = _ask([*client, "banned"], patience)
    if answer.code != 0:
        raise _error_of(answer, socket)
    if not answer.out.lstrip().startswith(b"["):
        raise UsageError(f"{client[0]} does not answer as fail2ban-client does")
    return read_jails(answer.out)


def is_installed(program: str | None) -> bool:
    """Whether there is a fail2ban-client on this machine, or that ``program``."""
    return _path_of(program) is not None


def _path_of(program: str | None) -> str | None:
    import shutil

    name = program or "fail2ban-client"
    return shutil.which(name) or (None if program else shutil.which(name, path=_ELSEWHERE))


def _find(program: str | None) -> str:
    name = program or "fail2ban-client"
    found = _path_of(program)
    if found is None:
        raise UsageError(
            f"{clean_text(name)} was not found: where fail2ban is not installed,"
            " give -i FILE, --database FILE or --fail2ban-client PATH"
        )
    return found


def _times_of(client: list[str], names: list[str]) -> list[list[Ban]]:
    """For each jail what ``--with-time`` tells; nothing where it fails, as before fail2ban 0.11.1."""
    if not names:
        return []
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(_ask, ([*client, "get", name, "banip", "--with-time"] for name in names))
        try:
            return [_times_in(answer) for answer in answers]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _times_in(answer: _Answer) -> list[Ban]:
    lines = answer.out.split(b"\n") if answer.code == 0 else []
    return [ban for line in lines if (ban := read_times_line(line)) is not None]


def _joined(jail: str, identifiers: list[str], times: list[Ban]) -> list[Ban]:
    waiting: dict[str, list[Ban]] = {}
    for ban in reversed(times):
        waiting.setdefault(ban.text, []).append(ban)
    bans = []
    for identifier in identifiers:
        text = clean_text(identifier)
        # Two networks may read alike: 0.0.0.0/0 is 0.0.0.0. The line end in an identifier splits its line.
        told = waiting.get(text) if "\n" not in identifier else None
        ban = told.pop() if told else Ban(jail, text)
        bans.append(ban._replace(jail=jail))
    return bans


def _ask(command: list[str], patience: float | None = None) -> _Answer:
    """Run a command to its end, both of its outputs apart and bounded."""
    import os
    import selectors
    import subprocess
    import time

    patience = patience or _TIMEOUT
    deadline = time.monotonic() + patience
    outputs: dict[int, list[bytes]] = {}
    size = 0
    with (
        subprocess.Popen(
            ["/bin/sh", "-c", _IN_UTF8, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        ) as process,
        selectors.DefaultSelector() as selector,
    ):
        try:
            for number, pipe in enumerate(filter(None, (process.stdout, process.stderr))):
                selector.register(pipe, selectors.EVENT_READ, number)
                outputs[number] = []
            while selector.get_map():
                ready = selector.select(max(0, deadline - time.monotonic()))
                if not ready:
                    raise TryAgainError(f"{command[0]} gave no answer in {patience:g} seconds; try again")
                for key, _ in ready:
                    chunk = os.read(key.fd, 1 << 16)
                    size += len(chunk)
                    if size > _LARGEST_ANSWER:
                        raise UsageError(f"{command[0]} answers with more than {_LARGEST_ANSWER >> 20} MB")
                    if chunk:
                        outputs[key.data].append(chunk)
                    else:
                        selector.unregister(key.fileobj)
            code = process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise TryAgainError(f"{command[0]} does not end; try again") from None
        finally:
            process.kill()  # a no-op after its end
    return _Answer(code, b"".join(outputs[0]), b"".join(outputs[1]))


def _error_of(answer: _Answer, socket: Path | None) -> GeocliError:
    said, complaint = (text.decode("utf-8", "replace").strip() for text in (answer.out, answer.err))
    if said.startswith("Invalid command"):
        return UsageError(
            "this fail2ban cannot say who is banned (that came with 0.10.6):"
            " give its database with --database FILE"
        )
    reason = _LOG_HEAD.sub("", (complaint or said).rpartition("\n")[2])
    where = f" at {socket}" if socket is not None else ""
    if "Permission denied" in complaint:
        return UsageError(f"fail2ban's socket{where} is for root only: run geocli as root (sudo)")
    if re.search(r"Is (?:it|fail2ban) running\?|Could not find server|Connection re", complaint):
        return TryAgainError(
            f"fail2ban does not run, or not{where or ' with this socket'}: {clean_text(reason)}"
        )
    return UsageError(f"fail2ban-client failed ({answer.code}): {clean_text(reason)}")
