"""Fetches databases: downloaded beside the present ones, checked as a whole, then put in their place at once.

Whatever goes wrong, what was there before is still there, and in use.
"""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlsplit

from geocli.mmdb.decoder import BrokenError
from geocli.mmdb.downloads.archive import unpack
from geocli.mmdb.downloads.fetch import LARGEST, Fetcher, host_of
from geocli.mmdb.downloads.install import Download, alone, part, place, read_download
from geocli.mmdb.downloads.installed import Installed, installed, is_edition, is_name
from geocli.mmdb.downloads.publishers import base
from geocli.mmdb.downloads.publishers.base import Offer, Source
from geocli.mmdb.reader import Database
from geocli.mmdb.safe_reader import SafeReader
from geocli.mmdb.trusted import TrustedFiles
from geocli.mmdb.verify import Verified, check
from geocli.model.errors import DamagedFileError, UsageError
from geocli.model.records import utc_text
from geocli.system.ownership import os_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from geocli.config.settings import Settings

_IN_URLS = "".join(map(chr, range(0x21, 0x7F)))  # all but what has to be written as %XX
_LONGEST_URL = 4000
_SHA256_DIGITS = 64
_DAY = 86400  # seconds
_SAMPLES = 200  # look-ups that are tried
_LICENCE = """\
Downloaded from {host}.

What may be done with it, and what has to be said where its data is shown, is what its publisher says.
"""


class Target(NamedTuple):
    """A database to update: one of a publisher's, or, with a ``url``, anything."""

    name: str
    url: str | None = None
    sha256: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether others on the way can change what comes, and no check of the user's would show it."""
        if self.url is None or self.sha256 is not None:
            return False
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        return parts.scheme == "http" and not (host in {"localhost", "::1"} or host.startswith("127."))


class Updated(NamedTuple):
    """What became of a target: the edition that is in place, and its bytes when it is new."""

    name: str
    edition: str
    size: int | None

    def __str__(self) -> str:
        what = "nothing new" if self.size is None else f"new, {self.size} bytes"
        return f"{self.name}: {what}; edition {self.edition}"


def targets_of(
    directory: Path, names: Sequence[str], called: str | None, sha256: str | None = None
) -> list[Target]:
    """What to update: the names and URLs; without any, what is there, else DB-IP's country and AS.

    ``called`` is what the one URL's database is to be called, ``sha256`` what the one download must have, in
    hexadecimal digits. Raises ``UsageError``.
    """
    if sha256 is not None:
        if len(names) != 1:
            raise UsageError("--sha256 is for one name or URL")
        (target, *others) = targets_of(directory, names, called)
        if others:
            raise UsageError(f"--sha256 is for one database, and {names[0]} is {len(others) + 1}")
        return [target._replace(sha256=_sha256_of(sha256))]
    if not names:
        found = [Target(one.name, read_download(directory, one.name).given) for one in installed(directory)]
        return sorted(found, key=lambda one: one.name) or [Target(name) for name in base.DEFAULT]
    if called is not None and (len(names) > 1 or "://" not in names[0]):
        raise UsageError("--name is for one URL")
    targets: dict[str, Target] = {}
    for name in names:
        if "://" in name:
            target = Target(_name_of(name, called), quote(name, safe=_IN_URLS))
            targets[target.name] = target
        else:
            targets |= {one: Target(one) for one in base.database_names(name)}
    return list(targets.values())


def _sha256_of(text: str) -> str:
    digits = text.strip().lower()
    if len(digits) != _SHA256_DIGITS or not {*digits} <= {*"0123456789abcdef"}:
        raise UsageError(f"--sha256 takes {_SHA256_DIGITS} hexadecimal digits")
    return digits


def _name_of(url: str, called: str | None) -> str:
    """What the database at a URL is called. Raises ``UsageError`` for what is no URL of a file."""
    try:
        parts = urlsplit(url)
        right = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
        right = right and parts.username is None and url.isprintable() and " " not in url
        right = right and len(url) <= _LONGEST_URL
    except ValueError:
        right = False
    if not right:
        raise UsageError("that is no URL of a database: write https://host/path, without a password")
    name = called
    if name is None:
        name = parts.path.rpartition("/")[2]
        for ending in (".gz", ".tar", ".tgz", ".mmdb"):
            name = name.removesuffix(ending)
    if not is_name(name) or base.is_taken(name):
        raise UsageError(f"{ascii(name)[:80]} cannot be a database's name: give another with --name")
    return name


def update(
    target: Target, settings: Settings, silence: float, progress: Callable[[str, int, int | None], None]
) -> Updated:
    """Bring one database up to date. ``silence``: seconds that its server may say nothing.

    Raises ``GeocliError``; then nothing has changed. ``TryAgainError`` where a later update may do it.
    """
    directory = settings.data_dir / "mmdb"
    with alone(directory, settings.busy_timeout):
        return _update(target, settings, directory, Fetcher(target.name, silence), progress)


def _update(
    target: Target,
    settings: Settings,
    directory: Path,
    fetcher: Fetcher,
    progress: Callable[[str, int, int | None], None],
) -> Updated:
    vetted = TrustedFiles(directory)
    present = next((one for one in installed(directory) if one.name == target.name), None)
    if present is not None and not vetted.knows(present.path, present.path.stat()):
        present = None  # it is not what was checked: whatever there is takes its place
    before = Download()
    if present is not None and target.sha256 is None:  # else it is fetched, and checked, in any case
        before = read_download(directory, target.name)
    offer = _offer(target, settings, fetcher)
    if present is not None and offer.md5 is not None and offer.md5 == before.md5:
        return Updated(target.name, present.edition, None)
    packed, unpacked = (part(directory, target.name, kind) for kind in ("packed", "unpacked"))
    try:
        with os_errors(directory):
            download = fetcher.file(
                offer,
                before,
                packed,
                lambda done, total: progress(f"{target.name}, KiB", done >> 10, total and total >> 10),
            )
            if download is None and present is not None:
                return Updated(target.name, present.edition, None)
            if download is None:
                raise fetcher.problem(offer.sources[0].url, "it sent nothing")
            try:
                new = unpack(packed, unpacked, LARGEST)
                _check_sha256(target, download.url, packed, new)
                checked = check(new, progress)
                edition = _edition(new, offer, checked, present)
            except BrokenError as error:
                raise fetcher.problem(download.url, f"what it sent is refused: {error}") from None
            download = download._replace(given=target.url)
            final = place(new, target.name, edition, checked.gives, offer.licence, download)
            return Updated(target.name, edition, final.stat().st_size)
    finally:
        for file in (packed, unpacked):
            file.unlink(missing_ok=True)


def _offer(target: Target, settings: Settings, fetcher: Fetcher) -> Offer:
    if target.url is not None:
        return Offer((Source(target.url),), (), _LICENCE.format(host=host_of(target.url)))
    if not base.is_taken(target.name):
        raise UsageError(f"where {target.name} is from is not known any more: name its URL, with --name")
    return base.offer(target.name, settings, datetime.now(UTC).date(), fetcher.ask)


class _Checked:
    """Vouches for the file that was checked a moment ago."""

    def knows(self, *_: object) -> bool:
        return True


def _edition(new: Path, offer: Offer, checked: Verified, present: Installed | None) -> str:
    """The edition of a new file that may take the place of the present one. Raises ``BrokenError``."""
    if offer.md5 is not None and _md5(new) != offer.md5:
        raise BrokenError("it does not have the MD5 that it should have")
    if missing := [kind for kind in offer.gives if kind not in checked.gives]:
        raise BrokenError(f"it does not give {' and '.join(missing)}")
    if not checked.gives:
        raise BrokenError("it gives neither country nor AS")
    database = Database(new, _Checked())
    description = database.description
    if description.built > time.time() + _DAY:
        raise BrokenError(f"it is of {utc_text(description.built)[:10]}, which is still to come")
    if present is not None and description.built < Database(present.path).description.built:
        raise BrokenError(f"it is of {utc_text(description.built)[:10]}, older than the one in place")
    _try_out(new, database)
    return description.edition if is_edition(description.edition) else utc_text(description.built)[:10]


def _try_out(path: Path, database: Database) -> None:
    """Look up some addresses as look-ups will, and see that the careful reader agrees."""
    reader = SafeReader(path)
    for packed, number in reader.some_addresses(_SAMPLES):
        value = int.from_bytes(packed)
        address = str(IPv4Address(value) if value < 1 << 32 else IPv6Address(value))
        ((found, _),) = database.find([address])
        if repr(found) != repr(reader.record(number)):
            raise BrokenError(f"it does not say the same about {address} each time")


def _check_sha256(target: Target, url: str, packed: Path, new: Path) -> None:
    """See that the file as it came, or what was in it, is what the user said. Raises ``DamagedFileError``."""
    if target.sha256 is not None:
        found = _sha256(packed)
        if target.sha256 not in {found, _sha256(new)}:
            reason = f"{host_of(url)} sent a file whose SHA-256 is {found}"
            raise DamagedFileError(target.name, reason, "nothing was changed")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
