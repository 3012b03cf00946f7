"""A directory with geocli and all its libraries, for every Python that it may meet.

Libraries in C carry the Python and the processor they are for in the names of their files, so one directory
can hold those of all: Python takes its own, and, where there is none, the same in Python.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
"""What Debian calls a processor, and what wheels call it."""

_PLATFORMS = ("manylinux_2_17", "manylinux2014", "manylinux_2_28")  # Debian 12 has glibc 2.36


def download(requirements: Path, target: Path, architecture: str) -> None:
    """Fetch the wheels of all libraries for a processor, each with a hash that ``requirements`` names."""
    wanted = re.split(r"\n(?=\S)", requirements.read_text(encoding="utf-8").strip())
    for python in PYTHONS:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("\n".join(wanted) + "\n")
            file.flush()
            platforms = [f"--platform={name}_{ARCHITECTURES[architecture]}" for name in _PLATFORMS]
            command = [
                sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
                "--only-binary=:all:", f"--python-version={python}", *platforms, "--dest", str(target),
                "--requirement", file.name,
            ]  # fmt: skip
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        # The next Python needs others of those only that are in C.
        in_c = {_name(path) for path in target.glob("*.whl") if not path.stem.endswith("-none-any")}
        wanted = [one for one in wanted if _normalized(one.partition("==")[0]) in in_c]


def _name(wheel: Path) -> str:
    return _normalized(wheel.name.partition("-")[0])


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def unpack(wheels: Iterable[Path], tree: Path) -> None:
    """Unpack wheels into one directory: packages beside each other, what is for ``share`` in ``share``.

    Programs are left out: the package or the zipapp has its own.
    """
    for wheel in sorted(wheels, key=lambda path: path.name):
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                if not member.is_dir() and (name := _place_of(member.filename)) is not None:
                    path = tree / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(member) as source, path.open("wb") as copy:
                        shutil.copyfileobj(source, copy)
    date = int(os.environ["SOURCE_DATE_EPOCH"])
    for path in [tree, *tree.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (date, date))


def _place_of(name: str) -> PurePosixPath | None:
    """Return where a file of a wheel goes, ``None`` for a program (PEP 427, "The .data directory")."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name} leads out of the wheel")
    if not path.parts[0].endswith(".data"):
        return path
    return PurePosixPath(*path.parts[2:]) if path.parts[1] in {"purelib", "platlib", "data"} else None
