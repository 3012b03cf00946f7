"""What is geocli's own on a machine, as things with a text: a file, a link, the data directory."""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from geocli.cron.crontab import TableFile
from geocli.model.errors import TryAgainError, UsageError

_OWN_DATA = (
    "journal", "mmdb", "pacing", "whois", "geo.db", "geo.db-wal", "geo.db-shm", "flush-notice", "age-notice",
    "verified.json",
)  # fmt: skip
_HEAD = 1000  # bytes in which a mark is
_SET_ASIDE = "geo.db.damaged-*"


MARK = "Written by geocli setup; geocli setup --remove deletes it"
"""In the first lines of each file that is wholly geocli's: one without it is somebody else's."""

_MADE_FOR_IT = re.compile(rb"%s, and (\d) empty directories above it" % MARK.encode())


class OwnFile(TableFile):
    """A file that is wholly geocli's. Its mark says how many directories above it were made for it.

    Something else in its place, a link of pipx's for one, is somebody else's.
    """

    def read(self) -> bytes | None:
        """Return the text of the file, of a link nothing to know it by. Raises ``UsageError``."""
        return b"" if self.path.is_symlink() else super().read()

    def mark(self, before: bytes | None) -> str:
        """Return the mark for the file's new text; ``before`` is its old one."""
        if before is not None:
            found = _MADE_FOR_IT.search(before[:_HEAD])
            made = int(found[1]) if found else 0
        else:
            made = sum(not directory.exists() for directory in self.path.parents)
        return f"{MARK}, and {made} empty directories above it" if made else MARK

    def is_own(self, text: bytes | None) -> bool:
        """Whether this text of the file has the mark."""
        return text is not None and MARK.encode() in text[:_HEAD]

    def write(self, text: bytes | None) -> None:
        """Write the file, or delete it with the directories that were made for it and are empty."""
        before = self.read() or b""
        super().write(text)
        found = _MADE_FOR_IT.search(before[:_HEAD])
        if text is None and found:
            with suppress(OSError):  # something else is in one of them
                for directory in [*self.path.parents][: int(found[1])]:
                    directory.rmdir()


class DataDirectory:
    """The data directory; its text is who may read it. It is made, and its group changed, never removed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    def read(self) -> bytes | None:
        """Return ``owner``, or ``group N`` for one that may read; ``None`` where there is nothing."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"cannot use {self.path}: {error.strerror}") from error
        if not stat.S_ISDIR(status.st_mode):
            raise UsageError(f"{self.path} is in the way: it is not a directory")
        shared = status.st_mode & 0o2050 == 0o2050
        return b"group %d" % status.st_gid if shared else b"owner"

    def write(self, text: bytes | None) -> None:
        """Make the directory, and let its group read all that is in it. Raises ``GeocliError``."""
        if text is None:
            raise UsageError(f"{self.path} is data")
        group = int(text.split()[1]) if text.startswith(b"group ") else -1
        try:
            if not self.path.is_dir():
                self.path.mkdir(0o700, parents=True)
                self.path.chmod(0o700)
            for place, directories, files in os.walk(self.path):
                for path in (Path(place), *(Path(place, name) for name in files)):
                    _let_read(path, group)
                directories[:] = [name for name in directories if not Path(place, name).is_symlink()]
        except PermissionError as error:
            raise UsageError(f"cannot make {self.path}: {error.strerror}; as root you can") from error
        except OSError as error:
            raise TryAgainError(f"cannot make {self.path}: {error.strerror}") from error


def _let_read(path: Path, group: int) -> None:
    """Let a group, or with -1 nobody but the owner, read a file or directory of a data directory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        os.fchown(descriptor, -1, group)
        mode = (0o700 if is_directory else 0o600) if group < 0 else (0o2750 if is_directory else 0o640)
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def delete_data(directory: Path) -> list[Path]:
    """Delete what geocli keeps in a data directory, and the directory when it is empty; what was deleted.

    Raises ``UsageError`` for what cannot be deleted.
    """
    found = [directory / name for name in _OWN_DATA] + sorted(directory.glob(_SET_ASIDE))
    gone = []
    try:
        for path in found:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.exists() or path.is_symlink():
                path.unlink()
            else:
                continue
            gone.append(path)
        if directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()
            gone.append(directory)
    except OSError as error:
        raise UsageError(f"cannot delete {error.filename}: {error.strerror}") from error
    return gone


def owned_by_others(program: str) -> Path | None:
    """Return the program, or a directory on its way, that a user other than root may change, if there is one.

    Root's jobs run it: whoever may change it is root.
    """
    for path in (Path(program), Path(program).resolve()):
        for one in (path, *path.parents):
            try:
                status = one.stat()
            except OSError:
                continue
            sticky_directory = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
            if status.st_uid != 0 or (status.st_mode & 0o002 and not sticky_directory):
                return one
    return None
