"""The database that ships with geocli: where it lies, and of which edition it is. Opens nothing."""

from __future__ import annotations

import os
from pathlib import Path

from geocli.model.errors import DamagedFileError

EMBEDDED = Path(__file__).parents[1] / "data"
"""Where it lies, beside its licences."""


def embedded_path() -> Path:
    """The database that ships with geocli. Raises ``DamagedFileError`` when it is gone."""
    try:
        found = [name for name in os.listdir(EMBEDDED) if name.endswith(".mmdb")]  # noqa: PTH208 (names are all that is needed)
    except OSError:
        found = []
    if not found:
        raise DamagedFileError(EMBEDDED, "holds no database", "install geocli again")
    return EMBEDDED / max(found)


def embedded_source() -> str:
    """The embedded database's ``source``, without opening it: the file is named after it."""
    return f"mmdb:{embedded_path().stem}"
