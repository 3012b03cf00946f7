"""Compressed input, known by its first bytes: gzip, xz, bzip2, and zstd where Python has it.

What comes out is never more than a chunk at once, whatever the compressed bytes promise: a few kilobytes may
hold gigabytes. Several compressed files may stand in one. A file that is cut short, or damaged, is an error
behind everything that could be read of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from geocli.model.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CHUNK = 1 << 16
_MOST_MEMORY = 1 << 28
"""Bytes that unpacking xz may take: its own strongest setting needs a quarter of them."""


class _Decompressor(Protocol):
    """What Python's decompressors have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Compression(NamedTuple):
    """A form of compression: ``magic`` begins its files; ``new`` raises ``InputError`` without it."""

    name: str
    magic: bytes
    new: Callable[[], _Decompressor]


class _Gzip:
    """zlib's decompressor in the manner of the others."""

    def __init__(self) -> None:
        import zlib

        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


def _xz() -> _Decompressor:
    from lzma import FORMAT_XZ, LZMADecompressor

    return LZMADecompressor(FORMAT_XZ, memlimit=_MOST_MEMORY)


def _bzip2() -> _Decompressor:
    from bz2 import BZ2Decompressor

    return BZ2Decompressor()


def _zstd() -> _Decompressor:
    for module in ("compression.zstd", "backports.zstd"):  # Python's own since 3.14
        try:
            return import_module(module).ZstdDecompressor()  # type: ignore[no-any-return]
        except ImportError:
            continue
    raise InputError("it is compressed with zstd: zstdcat FILE | geocli, or pip install 'geocli[zstd]'")


COMPRESSIONS = (
    Compression("gzip", b"\x1f\x8b", _Gzip),
    Compression("xz", b"\xfd7zXZ\x00", _xz),
    Compression("bzip2", b"BZh", _bzip2),
    Compression("zstd", b"\x28\xb5\x2f\xfd", _zstd),
)


def unpacked(chunks: Iterable[bytes], compression: Compression, name: str) -> Iterator[bytes]:
    """Return what a compressed file holds; ``name`` is the file's for messages. Raises ``InputError``."""
    try:
        unpack = compression.new()
    except InputError as error:
        raise InputError(f"cannot read {name}: {error}") from None
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                if unpack.eof:  # the next of several in one file, or what pads the last
                    rest = rest.lstrip(b"\0")
                    if not rest:
                        break
                    unpack = compression.new()
                yield unpack.decompress(rest, _CHUNK)
                while not (unpack.eof or unpack.needs_input):
                    yield unpack.decompress(b"", _CHUNK)
                rest = unpack.unused_data if unpack.eof else b""
    except _damage() as error:
        said = str(error).rpartition(": ")[2] or "it cannot be unpacked"
        raise InputError(f"{name} is damaged ({compression.name}): {said}") from error
    if not unpack.eof:
        raise InputError(f"{name} is damaged: the compressed file ends too early")


def _damage() -> tuple[type[Exception], ...]:
    """What the decompressors raise, of those that were imported."""
    import sys

    known = {
        "zlib": "error",
        "lzma": "LZMAError",
        "compression.zstd": "ZstdError",
        "backports.zstd": "ZstdError",
    }
    modules: list[tuple[Any, str]] = [(sys.modules.get(module), error) for module, error in known.items()]
    return (OSError, EOFError, *(getattr(module, error) for module, error in modules if module is not None))
