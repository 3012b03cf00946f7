"""One MMDB file: opened, asked, described. The only module that touches ``maxminddb``."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import stat
import sys
from contextlib import contextmanager
from errno import ENOMEM
from functools import cache
from ipaddress import IPv6Network
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from geocli.mmdb.embedded import EMBEDDED
from geocli.model.addresses import ipv6_system
from geocli.model.errors import NO_FILES, DamagedFileError, TryAgainError
from geocli.model.records import clean_text, utc_text
from geocli.model.value import Value
from geocli.system.files import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from geocli.mmdb.search_tree import Tree
    from geocli.model.errors import GeocliError

MARKER = b"\xab\xcd\xefMaxMind.com"
"""What stands before a file's metadata; the last one counts."""

FARTHEST = 128 << 10
"""Bytes from the end of a file: the metadata begins there or nowhere."""

# What the readers raise on bytes that are not what the format promises: BrokenError and the C extension's
# InvalidDatabaseError are a ValueError and a RuntimeError.
_DAMAGE = (
    ValueError, RuntimeError, TypeError, AttributeError, KeyError, IndexError, OverflowError,
)  # fmt: skip
_MOST_NODES = 1 << 24  # of a search tree in memory: 8 bytes each; large databases have 5,000,000
_MAP_OF_NINE = b"\xe9"
_NOT_IN_SOURCE = re.compile(r"[^0-9A-Za-z._-]+")


class Description(Value):
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


class Vouching(Protocol):
    """Somebody who knows which files are whole."""

    def knows(self, path: Path, status: os.stat_result) -> bool:
        """Whether the file that has this status is."""


class Database:
    """One open MMDB file. Opening raises ``DamagedFileError`` for anything that is not one.

    The C extension reads what is known to be whole: the database that ships with geocli, and what is on the
    list of ``vetted`` files. It can crash over a file that was made to do harm, so others are read carefully.
    """

    def __init__(self, path: Path, vetted: Vouching | None = None) -> None:
        self._path = path
        self.accelerated = False
        """Whether the C extension reads this file."""
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise self._unusable("is not a regular file")  # opening a FIFO would wait for ever
            if path.parent == EMBEDDED or (vetted is not None and vetted.knows(path, status)):
                self._reader, self.accelerated = _reader(path)
                if fingerprint(path.stat()) != fingerprint(status):  # it may be another one that was opened
                    self._reader, self.accelerated = _careful_reader(path), False
            else:
                self._reader = _careful_reader(path)
            self._metadata = metadata = self._reader.metadata()
            self._identity = fingerprint(status)
            self.description = _describe(path, status.st_size, metadata)
            self._ipv4_only = metadata.ip_version == 4
        except (OSError, MemoryError) as error:
            raise unreadable(path, error) from error
        except _DAMAGE as error:
            raise self._unusable("is not an MMDB file, or a damaged one" + _what(error)) from error

    @property
    def is_ipv6(self) -> bool:
        """Whether it has IPv6 too."""
        return not self._ipv4_only

    def find(self, addresses: Iterable[str]) -> Iterator[tuple[Any, int]]:
        """For each address its raw record, or ``None``, and the length of the prefix that this holds for.

        One after the other: records that are let go at once are made in memory that is still in the
        processor's cache, which is three times as fast. Raises ``DamagedFileError`` when the file's tree or
        data leads nowhere, ``TryAgainError`` when there is not enough memory.
        """
        get = self._reader.get_with_prefix_len
        with self._understood():
            for address in addresses:
                yield (None, 0) if self._ipv4_only and ":" in address else get(address)

    def read(self, records: Iterable[tuple[int, str]]) -> Iterator[Any]:
        """The data of records of the search tree, for whoever asks once about each: in order.

        A record is its number, and an address that leads to it. Raises ``GeocliError`` as ``find`` does.
        """
        with self._understood():
            if self.accelerated:
                for _, address in records:
                    yield self._reader.get(address)
            else:  # the way through the tree again would have all of the file in memory
                for number, _ in records:
                    yield self._reader.data(number)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except MemoryError as error:
            raise unreadable(self._path, error) from error
        except _DAMAGE as error:
            where = _what(error) or ": its search tree or data leads nowhere"
            raise self._unusable("is damaged" + where) from error

    def tree(self) -> Tree | None:
        """The search tree for IPv4, for whoever asks about many; ``None`` when there is none to be had.

        That is so when the file was replaced, and when its tree would fill the memory.

        Raises ``GeocliError``.
        """
        from geocli.mmdb.search_tree import Tree  # only where there are many

        said = self._metadata
        if said.node_count > _MOST_NODES:
            return None
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                if fingerprint(status) != self._identity:
                    return None
                data = file.read(min(said.node_count * said.record_size // 4, status.st_size))
                return Tree(data, said.node_count, said.record_size, said.ip_version)
        except MemoryError:
            return None
        except OSError as error:
            raise unreadable(self._path, error) from error
        except _DAMAGE as error:
            raise self._unusable("is damaged: its search tree leads nowhere") from error

    def _unusable(self, reason: str) -> DamagedFileError:
        return DamagedFileError(self._path, reason, "give another file, or get it again")


def unreadable(path: Path, error: OSError | MemoryError) -> GeocliError:
    """What it means that a file could not be read: now, or at all."""
    if isinstance(error, MemoryError) or error.errno in {ENOMEM, *NO_FILES}:
        reason = error.strerror if isinstance(error, OSError) else os.strerror(ENOMEM)
        return TryAgainError(f"{path}: cannot be read now: {reason}; try again")
    return DamagedFileError(path, f"cannot be read: {error.strerror or error}", "give another file")


def network_text(address: str, prefix: int) -> str:
    """The network of ``prefix`` bits that an address is in, as CIDR text."""
    if ":" in address:
        if address[0] in "23" and (system := ipv6_system()) is not None:
            number = (
                int.from_bytes(system.inet_pton(system.AF_INET6, address)) >> 128 - prefix << 128 - prefix
            )
            return f"{system.inet_ntop(system.AF_INET6, number.to_bytes(16))}/{prefix}"
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


def _reader(path: Path) -> tuple[Any, bool]:
    """``maxminddb``'s C extension for this file, and True; without an extension the careful reader.

    Importing the package imports its Python reader too, and with it multiprocessing and
    importlib.metadata: 40 ms, more than everything else that a look-up does. The extension needs none
    of it, so it is imported under a bare stand-in for its package, which is gone afterwards.
    """
    stand_in = None
    if "maxminddb" not in sys.modules and (spec := importlib.util.find_spec("maxminddb")) is not None:
        stand_in = ModuleType("maxminddb")
        stand_in.__path__ = spec.submodule_search_locations or []
        sys.modules["maxminddb"] = stand_in
    try:
        extension = importlib.import_module("maxminddb.extension")
    except ImportError:
        return _careful_reader(path), False
    finally:
        if stand_in is not None:
            del sys.modules["maxminddb"]
    try:
        if _is_plain(path):
            return extension.Reader(path), True
        return _careful_reader(path), False
    except _DAMAGE:  # it minds how wide the metadata's integers are, and who knows what else
        return _careful_reader(path), False


def _is_plain(path: Path) -> bool:
    """Whether the metadata is a map of as many keys as the format has.

    The extension takes no file that lacks one of them, and crashes over a file that has another one too.
    """
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - FARTHEST))
        _, marker, metadata = file.read(FARTHEST).rpartition(MARKER)
    return bool(marker) and metadata[:1] == _MAP_OF_NINE


def _what(error: Exception) -> str:
    """What the careful reader says of a file; what others say is for programmers."""
    from geocli.mmdb.decoder import BrokenError  # only when something is wrong

    return f": {error}" if isinstance(error, BrokenError) else ""


def _careful_reader(path: Path) -> Any:
    from geocli.mmdb.safe_reader import SafeReader  # only for files that nobody vouches for: 2 ms

    return SafeReader(path)
