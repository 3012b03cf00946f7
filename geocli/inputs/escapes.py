"""Escapes in text: what terminals, JSON, URLs and programs' logs put in the place of one character.

An escape ends a word, on both sides of it. It is made blank here, in as many bytes, so that every other byte
of the text stays where it is.
"""

from __future__ import annotations

import re

# A backslash or "#" with digits, letters that may be hexadecimal: not where they may begin an address.
_NO_ADDRESS = rb"(?![0-9A-Fa-f]{0,3}:|[0-9]{0,2}\.)"
_ESCAPE_CHARACTER = rb"(?:\x1b|\\{1,8}(?:u001[Bb]|x1[Bb]|u\{1[Bb]\}|0?33|e)|\^\[|#033|<1[Bb]>)"
_ESCAPE = re.compile(
    rb"(?P<slash>\\{1,8}(?:/|x2[Ff]|u002[Ff])|%(?:25)*2[Ff])"
    # ANSI: colours, movements, sets of characters (ECMA-48, ISO 2022).
    rb"|" + _ESCAPE_CHARACTER + rb"(?:\[[0-9;:?<=>]{0,64}[ -/]?[@-~]|[()][0-9A-Z])"
    # JSON, C, Python, also within a string of theirs; \b and \f only where they begin no address of IPv6.
    rb'|\\{1,8}(?:[nrt"]|[bf]' + _NO_ADDRESS + rb"|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})"
    # Octal, of C and of rsyslog.
    rb"|(?:\\[0-3]|#0)(?:[0-7]{2})(?![0-9A-Fa-f]?:|\.)"
    # URLs: all but letters and digits, so that %e0 may name an interface; encoded once or more.
    rb"|%(?:25)*(?:0[09AaDd]|1[Bb]|2[0-9A-Fa-f]|3[A-Fa-f]|40|5[B-Fb-f]|60|7[B-Fb-f]|[89A-F][0-9A-F])"
    rb"|(?:%[89a-f][0-9a-f]){2,}"
    # Quoted-printable: an equals sign.
    rb"|=3D(?![0-9A-Fa-f]{0,2}:)"
    # What cat -A makes of control characters that are no hexadecimal letters.
    rb"|\^[@G-Z\[\]\\_]"
)
_SIGNS = re.compile(rb"[\x1b\\%^]|#0|=3D")


def without_escapes(text: bytes) -> bytes:
    """Return text of the same length, its escapes blank; an escaped ``/`` keeps that as its last byte."""
    return _ESCAPE.sub(_blank, text) if _SIGNS.search(text) else text


def _blank(escape: re.Match[bytes]) -> bytes:
    size = len(escape[0])
    if escape.lastgroup is None:
        return b" " * size
    # NULs, so that what is before and behind an escaped slash can be told from a word.
    return b"\0" * (size - 1) + b"/"
