"""Where tables of jobs are kept: a crontab, behind the program of that name, or a file.

Reading gives ``None`` where there is nothing. Writing replaces the whole at once: whatever happens in
between, there is the old text or the new one.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from typing import TYPE_CHECKING, NamedTuple, Protocol

from geocli.model.errors import TryAgainError, UsageError
from geocli.model.records import clean_text
from geocli.system.files import replacing

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

_TIMEOUT = 30  # seconds; crontab takes milliseconds
_ELSEWHERE = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
_NOTHING = re.compile(rb"no crontab for|can't open '[^']*': No such file")  # everybody's; busybox's


class Table(Protocol):
    """A text somewhere, by the name that people know it under."""

    name: str

    def read(self) -> bytes | None:
        """The text, ``None`` where there is none. Raises ``GeocliError``."""

    def write(self, text: bytes | None) -> None:
        """Have this text there, or nothing. Raises ``GeocliError``; the old text is still there then."""


class Change(NamedTuple):
    """What becomes of a table; ``None`` is "there is none"."""

    table: Table
    before: bytes | None
    after: bytes | None

    @property
    def is_one(self) -> bool:
        """Whether there is anything to do."""
        return self.before != self.after

    def make(self) -> None:
        """Do it, unless there is nothing to do. Raises ``GeocliError``."""
        if self.is_one:
            self.table.write(self.after)


class UserCrontab:
    """The crontab of whoever runs geocli, or, for root, of ``user``. Raises ``UsageError`` without a cron."""

    def __init__(self, user: str | None = None) -> None:
        program = shutil.which("crontab") or shutil.which("crontab", path=_ELSEWHERE)
        if program is None:
            raise UsageError(
                "there is no crontab program here: install cron,"
                " or let systemd do it (geocli cron install --systemd)"
            )
        self._command = [program, *(["-u", user] if user else [])]
        self.name = f"crontab of {user}" if user else "crontab"

    def read(self) -> bytes | None:
        """The text of ``crontab -l``, ``None`` where there is none. Raises ``GeocliError``."""
        done = run([*self._command, "-l"])
        if done.returncode == 0:
            return done.stdout
        # Anything else than this may be a crontab that cannot be read now: writing would replace it.
        if _NOTHING.search(done.stderr):
            return None
        raise UsageError(f"cannot read the {self.name}: {complaint(done)}")

    def write(self, text: bytes | None) -> None:
        """Install this text, or remove the crontab, and see that it is there. Raises ``GeocliError``."""
        if text is None:
            done = run([*self._command, "-r"])
        else:
            done = self._install(text)
            if done.returncode != 0 and text and not text.endswith(b"\n"):
                text += b"\n"  # cron on Linux refuses what it would accept in its own directory
                done = self._install(text)
        if done.returncode != 0:
            error = TryAgainError if b"No space left" in done.stderr else UsageError
            raise error(f"crontab did not take the {self.name}, it is as before: {complaint(done)}")
        if self.read() != text:
            raise UsageError(f"the {self.name} is not what was written: look with crontab -l")

    def _install(self, text: bytes) -> subprocess.CompletedProcess[bytes]:
        # From a file and not from a pipe: were geocli killed in the midst of writing, crontab would take
        # the first half of a pipe for the whole.
        try:
            with tempfile.NamedTemporaryFile(prefix="geocli-crontab-") as file:
                file.write(text)
                file.flush()
                return run([*self._command, file.name])
        except OSError as error:
            raise TryAgainError(
                f"cannot write a temporary file: {error.strerror}; the {self.name} is as before"
            ) from error


class TableFile:
    """A file in ``/etc/cron.d`` or of a systemd unit, read by root or by cron: mode 0644 without more."""

    def __init__(self, path: Path, mode: int = 0o644) -> None:
        self.path = path
        self._mode = mode
        self.name = str(path)

    def read(self) -> bytes | None:
        """The text of the file, ``None`` where there is none. Raises ``UsageError``."""
        try:
            if self.path.is_symlink():
                raise UsageError(f"{self.path} is a symbolic link: remove it first")
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"cannot read {self.path}: {error.strerror}") from error

    def write(self, text: bytes | None) -> None:
        """Replace the file at once, or delete it. Raises ``GeocliError``."""
        try:
            if text is None:
                self.path.unlink(missing_ok=True)
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # What is unfinished is called what cron passes over, by its dots, and systemd, by its suffix.
            with replacing(self.path, self._mode) as file:
                file.write(text)
        except PermissionError as error:
            raise UsageError(f"cannot write {self.path}: {error.strerror}; as root you can") from error
        except OSError as error:
            raise TryAgainError(f"cannot write {self.path}: {error.strerror}") from error


def run(command: list[str], patience: float = _TIMEOUT) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end, with nothing on stdin, for ``patience`` seconds at most.

    Raises ``GeocliError`` when it cannot be run.
    """
    import subprocess

    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=patience
        )
    except subprocess.TimeoutExpired:
        raise TryAgainError(f"{command[0]} does not end; try again") from None
    except OSError as error:
        raise UsageError(f"cannot run {command[0]}: {error.strerror}") from error


def complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    """What a program said was wrong, on one line."""
    text = done.stderr.decode("utf-8", "replace") or f"exit code {done.returncode}"
    return clean_text(text.strip())
