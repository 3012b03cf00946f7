"""What an AS's holder is called: the registries' ways of writing it, and broken letters, taken out."""

from __future__ import annotations

import re

from geocli.model.records import clean_text

_NO_NAME = re.compile(
    r"AS[ -]?[0-9]+|-|-.*-|unknown|none|n/?a|(?:un|not )(?:allocated|assigned)"
    r"|reserved(?: as)?|private use(?: as)?",
    re.IGNORECASE,
)
# ARIN and APNIC put their handle before the name: "GENSAZ-ASN1 - GENS ARIZONA LLC", "AS73981 - NORTHERN".
_HANDLE = re.compile(
    r"(?<![A-Z0-9-])"
    r"(?:AS[0-9]+(?:-[0-9]+)?|[A-Z0-9]+(?:-[A-Z0-9]{1,40}){0,8}?-ASN?[0-9]{0,10}(?:-[A-Z0-9]{1,40}){0,8})"
    r" - (?=\S)"
)
_LONGEST = 1000  # characters; the longest registered name is below 128
_LOST_BETWEEN = re.compile(r" [?\ufffd]+ ")
_LOST = re.compile(r"[?\ufffd\u00bf]{2,}|[\ufffd\u00bf]")
# Letters of other character sets read as Latin-1: a soft hyphen for a dash, an accent for an apostrophe.
_MISREAD = str.maketrans({"\xad": "-", "\xa0": " ", "\xb4": "'", "\x96": "-", "\x92": "'"})


def clean_as_name(text: str) -> str | None:
    """Return the name of an AS's holder, or ``None`` where the text is only its number or a placeholder.

    Example: ``"City Net - City Net"`` becomes ``"City Net"``, ``"-Reserved AS-"`` and ``"AS64496"`` nothing.
    """
    text = text[:_LONGEST]  # what comes next is not in step with the length
    text = " ".join(_LOST.sub(" ", _LOST_BETWEEN.sub(" - ", text.translate(_MISREAD))).split())
    text = _once(text)
    text = _HANDLE.sub("", text, count=1)
    text = re.sub(r"(?: -)+$|^(?:- )+", "", text)
    if text.count('"') == 1 and (text[0] == '"' or text[-1] == '"'):
        text = text.strip('"').strip()
    text = clean_text(text)
    return None if not text or _NO_NAME.fullmatch(text) else text


def _once(text: str) -> str:
    """``X - X`` as ``X``, also where X has a dash of its own, or one is a handle made of the other."""
    parts = text.split(" - ")
    half = len(parts) // 2
    first, second = " - ".join(parts[:half]), " - ".join(parts[half:])
    if first.casefold() == second.casefold():
        return first
    if len(parts) > 2 and parts[0].casefold() == parts[-1].casefold():
        return " - ".join(parts[:-1])
    if len(parts) == 2 and " " not in first:
        handle, name = _letters(first).rstrip("0123456789"), _letters(second)
        if min(len(handle), len(name)) > 2 and (name.startswith(handle) or handle.startswith(name)):
            return second
    return text


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
