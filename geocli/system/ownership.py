"""Whose files and directories are, and who else may write or read them.

geocli runs as root in cron: a journal, a store or a configuration that somebody else can write, or replace,
would be a way for them to have root read what they like. So a file is trusted as far as the directories above
it are, as ``sshd`` does it with StrictModes (``safe_path`` in OpenSSH's misc.c).

Errors of the operating system leave as geocli's, naming the path.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from contextlib import contextmanager, suppress
from errno import EACCES, ELOOP, ENOMEM
from typing import TYPE_CHECKING

from geocli.model.errors import (
    NO_FILES,
    NO_ROOM,
    ClosedDirectoryError,
    DamagedFileError,
    GeocliError,
    TryAgainError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_BY_GROUP, _BY_ALL = 0o020, 0o002
_MOST_LINKS = 40  # on one way, as in Linux
_UNMAPPED = 65534
"""Who owns, in a container, what belongs to a user whom the container does not have (``overflowuid``)."""

_SHARED = 0o2050
"""The mode of a data directory that a group may read: what is made in it gets its group."""

_NFS4_ACL = "system.nfs4_acl"  # nfs4_acl.py reads it
_ACL = "system.posix_acl_access"
_ACL_USER, _ACL_GROUP_OBJ, _ACL_GROUP = 0x02, 0x04, 0x08
_ACL_WRITE = 2


def os_error_of(error: OSError, path: Path) -> GeocliError:
    """Return an operating system's error about ``path`` as one of geocli's."""
    if error.errno in NO_ROOM:
        return TryAgainError(f"{path}: the disk is full; make room and try again")
    if error.errno == ENOMEM:
        return TryAgainError(f"{path}: there is not enough memory; try again")
    if error.errno in NO_FILES:
        return TryAgainError(f"{path}: too many files are open; try again")
    if error.errno == EACCES and (closed := closed_directory(path)) is not None:
        return closed
    reason = error.strerror or str(error)
    return DamagedFileError(path, f"cannot be used ({reason})", "check its owner and permissions")


@contextmanager
def os_errors(path: Path) -> Iterator[None]:
    """Let an ``OSError`` out as geocli's, naming ``path``."""
    try:
        yield
    except OSError as error:
        raise os_error_of(error, path) from error


def closed_directory(path: Path) -> ClosedDirectoryError | None:
    """Return an error about the first directory on the way to ``path`` that this user may not enter."""
    way = [*reversed(path.absolute().parents)]
    with suppress(OSError):
        way += [path] if path.is_dir() else []
    for one in way:
        if not os.access(one, os.R_OK * (one == path) | os.X_OK, effective_ids=True):
            # Each above it may be entered: so it is there, or it is not.
            return ClosedDirectoryError(one, owner_text(one), "enter it") if os.path.lexists(one) else None
    return None


def owner_text(path: Path) -> str:
    """Return whose a file is, for people."""
    try:
        owner = path.stat().st_uid
    except OSError:
        return "another user"
    return "you" if owner == os.geteuid() else "root" if owner == 0 else f"another user (number {owner})"


# Trust


def check_trusted(paths: Iterable[Path]) -> None:
    """See that each of these belongs to this user or to root, and that nobody else may write or replace it.

    So the directories above, and the links on the way, must belong to one of the two as well, and no others
    may write them; a directory like ``/tmp``, in which everybody may only touch what is theirs, will do. What
    does not exist is passed over. Raises ``DamagedFileError`` for the first that is not so.
    """
    checked = set[str]()
    for path in paths:
        with suppress(OSError):  # it does not exist; or whoever opens it will find out
            _check_way(path, checked)


def _check_way(path: Path, checked: set[str]) -> None:
    for place, status in _way(str(path.absolute())):
        if place not in checked:
            checked.add(place)
            _check(place, status, is_above=True)
    status = path.stat()
    _check(str(path), status, is_above=False)


def _way(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """The directories and links on the way from the top to what ``path`` names. Raises ``OSError``."""
    waiting = deque(path.split("/"))
    here, links = "/", 0
    while waiting:
        part = waiting.popleft()
        if part in {"", "."}:
            continue
        if part == "..":
            here = os.path.dirname(here)  # noqa: PTH120 (quick)
            continue
        there = f"{here.rstrip('/')}/{part}"
        status = os.lstat(there)
        if not stat.S_ISLNK(status.st_mode):
            if waiting:
                yield there, status
            here = there
            continue
        yield there, status
        links += 1
        if links > _MOST_LINKS:
            raise OSError(ELOOP, os.strerror(ELOOP), path)
        target = os.readlink(there)  # noqa: PTH115 (quick)
        if target.startswith("/"):
            here = "/"
        waiting.extendleft(reversed(target.split("/")))


def _check(place: str, status: os.stat_result, *, is_above: bool) -> None:
    if not (is_above and _is_of_outside(status.st_uid)):
        check_owner(place, status)
    if stat.S_ISLNK(status.st_mode) or (is_above and status.st_mode & stat.S_ISVTX):
        return
    if status.st_mode & _BY_ALL or (status.st_mode & _BY_GROUP and _group_writes(place, status)):
        raise DamagedFileError(place, "can be written by other users", f"chmod go-w {place}")
    try:
        acl = os.getxattr(place, _NFS4_ACL)
    except OSError:  # it is not on NFS, or has none
        return
    if (who := _other_writer(acl, status.st_gid)) is not None:
        reason = f"can be written by other users ({who}, by its access control list)"
        raise DamagedFileError(place, reason, f"see nfs4_getfacl {place}")


def check_owner(place: Path | str, status: os.stat_result) -> None:
    """See that what has this status belongs to this user or to root. Raises ``DamagedFileError``."""
    if status.st_uid not in {os.geteuid(), 0}:
        reason = f"belongs to another user (number {status.st_uid})"
        raise DamagedFileError(place, reason, "let its owner run geocli, or give another with --data-dir")


def _is_of_outside(owner: int) -> bool:
    """Whether a directory belongs to somebody outside of this container, who has all of it anyhow."""
    if owner != _UNMAPPED:
        return False
    with suppress(OSError, ValueError), open("/proc/self/uid_map", encoding="ascii") as file:  # noqa: PTH123 (quick)
        return sum(int(line.split()[2]) for line in file) < (1 << 32) - 1
    return False


def _group_writes(place: str, status: os.stat_result) -> bool:
    """Whether somebody else may write by a group, or by an access control list, which shows as one."""
    try:
        acl = os.getxattr(place, _ACL)
    except OSError:  # there is none, or no such thing
        return not _is_own_group(status.st_gid)
    import struct  # hardly ever

    # linux/posix_acl_xattr.h: a version, then tag, permissions and number of each entry.
    for tag, permissions, number in struct.iter_unpack("<HHI", acl[4 : len(acl) - (len(acl) - 4) % 8]):
        if permissions & _ACL_WRITE and (
            (tag == _ACL_USER and number not in {os.geteuid(), 0})
            or (tag == _ACL_GROUP_OBJ and not _is_own_group(status.st_gid))
            or (tag == _ACL_GROUP and not _is_own_group(number))
        ):
            return True
    return False


def _other_writer(acl: bytes, group: int) -> str | None:
    """Who else may write by an access control list of NFSv4; ``None``: nobody."""
    import grp  # only on NFS
    import pwd

    from geocli.model.records import clean_text
    from geocli.system.nfs4_acl import GROUP, OWNER, writers

    user = os.geteuid()
    own = {"root", "0", str(user), *(one.pw_name for one in pwd.getpwall() if one.pw_uid == user)}
    try:
        for writer in writers(acl):
            if writer.is_group:
                with suppress(KeyError):
                    named = writer.name if writer.who != GROUP else str(group)
                    number = int(named) if named.isdecimal() else grp.getgrnam(named).gr_gid
                    if _is_own_group(number):
                        continue
            elif writer.who == OWNER or writer.name in own:
                continue
            return clean_text(writer.who, 100)
    except ValueError as error:
        return str(error)
    return None


def _is_own_group(group: int) -> bool:
    """Whether a group has nobody in it but this user and root: most systems give a user such a one."""
    import grp  # rarely needed
    import pwd

    user = os.geteuid()
    own = [one for one in pwd.getpwall() if one.pw_uid == user]
    try:
        members = {*grp.getgrgid(group).gr_mem}
    except KeyError:
        members = set()
    if members - {"root"} - {one.pw_name for one in own}:
        return False
    if group == 0:  # root's; and in some containers everybody's, who all are one user
        return True
    return group == os.getegid() and all(
        one.pw_uid in {user, 0} for one in pwd.getpwall() if one.pw_gid == group
    )


# A group of readers


def is_shared(directory: Path) -> bool:
    """Whether a group may read what is in there: ``geocli setup --group`` marks a data directory so."""
    try:
        return directory.stat().st_mode & _SHARED == _SHARED
    except OSError:
        return False


def file_mode(directory: Path) -> int:
    """The mode of a new file in a data directory: for its owner, and for a group that may read it."""
    return 0o640 if is_shared(directory) else 0o600


def is_lent(directory: Path) -> bool:
    """Whether a data directory is another user's that this one may read, and not write."""
    try:
        status = directory.stat()
    except OSError:
        return False
    return (
        status.st_uid != os.geteuid()
        and is_shared(directory)
        and os.access(directory, os.R_OK | os.X_OK)
        and not os.access(directory, os.W_OK)
    )
