"""One MMDB file: opened, asked, described. The only module that touches ``maxminddb``."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import stat
import sys
from functools import cache
from ipaddress import IPv6Network
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.errors import DamagedFileError
from geocli.records import clean_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from geocli.mmdb.tree import Tree

EMBEDDED = Path(__file__).parent.with_name("data")
"""Where the database that ships with geocli lies, beside its licences."""

_NOT_IN_SOURCE = re.compile(r"[^0-9A-Za-z._-]+")


class Description(NamedTuple):
    """What a database says of itself. ``built`` is seconds since the epoch, ``size`` bytes."""

    type: str
    edition: str
    built: int
    size: int
    path: Path
    description: str | None
    licence: str | None

    @property
    def source(self) -> str:
        """What records that come from it carry: kind, database and edition."""
        return f"mmdb:{self.type}-{self.edition}"


def embedded_path() -> Path:
    """The database that ships with geocli. Raises ``DamagedFileError`` when it is gone."""
    found = sorted(EMBEDDED.glob("*.mmdb"))
    if not found:
        raise DamagedFileError(EMBEDDED, "holds no database", "install geocli again")
    return found[-1]


def embedded_source() -> str:
    """The embedded database's ``source``, without opening it: the file is named after it."""
    return f"mmdb:{embedded_path().stem}"


class Database:
    """One open MMDB file. Opening raises ``DamagedFileError`` for anything that is not one."""

    def __init__(self, path: Path) -> None:
        library = _library()
        # What the reader raises on bytes that are not what the format promises.
        self._damage: tuple[type[Exception], ...] = (
            library.damage, ValueError, TypeError, AttributeError, KeyError,
            IndexError, OverflowError, RecursionError, MemoryError,
        )  # fmt: skip
        self._path = path
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise self._unusable("is not a regular file")  # opening a FIFO would wait for ever
            self._reader = library.open(path)
            self._metadata = metadata = self._reader.metadata()
            self._identity = _identity(status)
            self.description = _describe(path, status.st_size, metadata)
            self._ipv4_only = metadata.ip_version == 4
        except OSError as error:
            raise self._unusable(f"cannot be read: {error.strerror or error}") from error
        except self._damage as error:
            raise self._unusable("is not an MMDB file, or a damaged one") from error

    def find(self, addresses: Iterable[str]) -> Iterator[tuple[Any, int]]:
        """For each address its raw record, or ``None``, and the length of the prefix that this holds for.

        One after the other: records that are let go at once are made in memory that is still in the
        processor's cache, which is three times as fast. Raises ``DamagedFileError`` when the file's tree or
        data leads nowhere.
        """
        get = self._reader.get_with_prefix_len
        try:
            for address in addresses:
                yield (None, 0) if self._ipv4_only and ":" in address else get(address)
        except self._damage as error:
            raise self._unusable("is damaged: its search tree or data leads nowhere") from error

    def tree(self) -> Tree | None:
        """The search tree for IPv4, for whoever asks about many; ``None`` when the file was replaced.

        Raises ``DamagedFileError``.
        """
        from geocli.mmdb.tree import Tree  # only where there are many

        said = self._metadata
        try:
            with self._path.open("rb") as file:
                if _identity(os.fstat(file.fileno())) != self._identity:
                    return None
                data = file.read(said.node_count * said.record_size // 4)
                return Tree(data, said.node_count, said.record_size, said.ip_version)
        except OSError as error:
            raise self._unusable(f"cannot be read: {error.strerror or error}") from error
        except self._damage as error:
            raise self._unusable("is damaged: its search tree leads nowhere") from error

    def _unusable(self, reason: str) -> DamagedFileError:
        return DamagedFileError(self._path, reason, "give another file, or get it again")


def _identity(status: os.stat_result) -> tuple[int, ...]:
    """Which file it is, and of when: an update puts another one in its place."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def is_accelerated() -> bool:
    """Whether ``maxminddb`` runs its C extension: twenty times as fast as its Python code."""
    return _library().accelerated


def network_text(address: str, prefix: int) -> str:
    """The network of ``prefix`` bits that an address is in, as CIDR text."""
    if ":" in address:
        return str(IPv6Network((address, prefix), strict=False))
    whole, bits = divmod(prefix, 8)
    octets = address.split(".", whole + 1)[: whole + (bits > 0)]
    if bits:
        octets[whole] = _masked(bits)[octets[whole]]
    return ".".join(octets) + _TAILS[len(octets)] + str(prefix)


_TAILS = ("0.0.0.0/", ".0.0.0/", ".0.0/", ".0/", "/")


@cache
def _masked(bits: int) -> dict[str, str]:
    """Every octet's text to the text of its first ``bits`` bits: quicker than arithmetic on text."""
    return {str(octet): str(octet & (0xFF00 >> bits) & 0xFF) for octet in range(256)}


def _describe(path: Path, size: int, metadata: Any) -> Description:
    texts = metadata.description if isinstance(metadata.description, dict) else {}
    built = int(metadata.build_epoch)
    return Description(
        # Type and edition become part of every record: one word each.
        type=_NOT_IN_SOURCE.sub("-", clean_text(str(metadata.database_type), 64)) or "unnamed",
        edition=_NOT_IN_SOURCE.sub("-", clean_text(str(texts.get("x-edition") or utc_text(built)[:10]), 32)),
        built=built,
        size=size,
        path=path,
        description=_text(texts.get("en")),
        licence=_text(texts.get("x-licence")),
    )


def _text(value: object) -> str | None:
    return clean_text(value, 1000) if isinstance(value, str) else None


class _Library(NamedTuple):
    open: Callable[[Path], Any]
    damage: type[Exception]
    accelerated: bool


def _library() -> _Library:
    """``maxminddb``'s C extension alone where there is one, else the whole package.

    Importing the package imports its Python reader too, and with it multiprocessing and
    importlib.metadata: 40 ms, more than everything else that a look-up does. The extension needs none
    of it, so it is imported under a bare stand-in for its package, which is gone afterwards.
    """
    if (spec := importlib.util.find_spec("maxminddb")) is not None and "maxminddb" not in sys.modules:
        package = ModuleType("maxminddb")
        package.__path__ = spec.submodule_search_locations or []
        sys.modules["maxminddb"] = package
        try:
            extension = importlib.import_module("maxminddb.extension")
            errors = importlib.import_module("maxminddb.errors")
        except ImportError:
            pass
        else:
            return _Library(extension.Reader, errors.InvalidDatabaseError, accelerated=True)
        finally:
            del sys.modules["maxminddb"]
    maxminddb = importlib.import_module("maxminddb")
    accelerated = sys.modules.get("maxminddb.extension") is not None
    return _Library(maxminddb.open_database, maxminddb.InvalidDatabaseError, accelerated)
