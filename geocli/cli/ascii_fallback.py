r"""For terminals whose encoding lacks what tables, bars and maps are drawn with: something that looks alike.

Any other character that such a terminal cannot show is escaped as in JSON (``\u0141``). Nothing is left out.
"""

from __future__ import annotations

import codecs
import json

NAME = "geocli-lookalikes"
"""The name of the error handler, once ``register`` was called."""

_BRAILLE = range(0x2800, 0x2900)
_LIKE = dict(zip("─│·…\u2013\u2014░▒▓█▁▂▃▄▅▆▇▏▎▍▌▋▊▉", "-|.~--.:*#__.-=+*||||###", strict=True))


def register() -> None:
    """Make the handler known to Python's codecs."""
    codecs.register_error(NAME, _replaced)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_like, error.object[error.start : error.end])), error.end


def _like(character: str) -> str:
    if ord(character) in _BRAILLE:  # of eight dots
        return ".:#"[min(2, (ord(character) - _BRAILLE.start).bit_count() // 3)]
    return _LIKE.get(character) or json.dumps(character)[1:-1]
