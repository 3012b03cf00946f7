"""Versions that look like IPv4 addresses: what browsers and other programs call themselves.

``Name/1.2.3.4`` is what most say, ``rv:1.2.3.4`` what Gecko does. In the comment behind a product (RFC 9110,
10.1.5: ``Name/5.0 (System; Model 1.2.3.4; ...)``) every such number is a version, but in a URL.
"""

from __future__ import annotations

import re

from geocli.inputs.plain_words import SPOKEN

_NAME_BYTES = bytes({*range(256)} - {*b" \t\r\n\v\f\0\"'`()[]{}<>;,:=/\\.@%&?|*#$^"})
_LONGEST_NAME = 64
# What are no names of hosts, although they have a full stop in them, or a slash before them.
_BROWSERS = (b"browser/", b"browser (", b"up.link/")
_SYSTEM = rb"(?:Android|BlackBerry|compatible|iOS|iPad|iPhone|Linux|Macintosh|(?:Microsoft )?Windows|X11)\b"
_BEHIND_VERSION = re.compile(rb"[\s\0\"'`;)/+]|\\\"|,[ ]?[A-Za-z][0-9A-Za-z]{0,31}/|\Z")
_BEHIND_ESCAPED_VERSION = re.compile(rb"[\s\"'`;)+]|\\\"|\Z")
_BROWSER = re.compile(
    rb"(?i)Chrome|Chromium|Edga?|EdgiOS|Firefox|Mozilla|Opera|OPR|Safari|Version|\S*Browser"
)
_BEHIND_VERSION_OF_HOST = re.compile(rb" \(" + _SYSTEM)
_BEHIND_PART_OF_COMMENT = re.compile(rb" ?[;)]| (?:Build|Profile)/")
_BEFORE_COMMENT = re.compile(rb"[A-Za-z][^\s/]{0,63}/[0-9]{1,9}\.[0-9][0-9A-Za-z.]{0,63}[ +]?\Z")
_SPOKEN = re.compile(b"(?:" + b"|".join(SPOKEN) + rb")\Z")
_LONGEST_SPOKEN = 16
_VALUES = (b"printmade=",)  # in a comment, what other keys have may be an address
_CLOSED = re.compile(rb"\([^()\n\"]*\)")
_COMMENT = re.compile(rb"\(" + _SYSTEM + rb"[;/]")
_LONGEST_PRODUCT = 140
_LONGEST_COMMENT = 512


def is_version(text: bytes, start: int, end: int) -> bool:
    """Return whether what looks like an IPv4 address there is a version."""
    if text.endswith(b"rv:", 0, start):
        return not text[max(0, start - 4) : start - 3].isalnum()
    if text.endswith((b"/", b"@"), 0, start) and _is_named(text, start, end):
        return True
    if text.endswith(b" (", 0, start) and _is_browser(text, start):
        return True
    if text.startswith(b") Gecko/", end):
        return True
    if text.endswith(b" ", 0, start) and _SPOKEN.search(text, max(0, start - _LONGEST_SPOKEN), start + 1):
        return True
    return _BEHIND_PART_OF_COMMENT.match(text, end) is not None and _is_in_comment(text, start, end)


def _is_named(text: bytes, start: int, end: int) -> bool:
    head = text[max(0, start - _LONGEST_NAME - 8) : start - 1].rstrip(b"\0")
    rest = head.rstrip(_NAME_BYTES)
    name = head[len(rest) :]
    is_zero = text.endswith(b".0.0.0", start, end)  # no host has such an address
    if len(name) > _LONGEST_NAME or not (_has_letter(name) or (is_zero and name)):
        return False
    if text.endswith(b"@", 0, start):
        return is_zero
    if rest.endswith((b"/", b".", b"@", b"%")):  # the name does not begin a word
        return _is_browser(text, start) or _BEHIND_VERSION_OF_HOST.match(text, end) is not None
    if is_zero and text[end : end + 1] not in (b"(", b":"):
        return True
    if text.endswith(b"\0/", 0, start):  # an escape is a boundary, but in the name of a browser
        is_escaped_in_url = text.endswith(b"\0\0/", 0, start)
        return (not is_escaped_in_url or _BROWSER.fullmatch(name) is not None) and (
            _BEHIND_ESCAPED_VERSION.match(text, end) is not None
        )
    if _BEHIND_VERSION.match(text, end) is not None:
        return True
    return text[end : end + 1] != b":" and _BROWSER.fullmatch(name) is not None


def _is_browser(text: bytes, start: int) -> bool:
    return text[max(0, start - 9) : start].lower().endswith(_BROWSERS)


def _is_in_comment(text: bytes, start: int, end: int) -> bool:
    head = _CLOSED.sub(b"", text[max(0, start - _LONGEST_COMMENT) : start])  # what is in it is over
    begin = head.rfind(b"(")
    comment = head[begin:]
    if begin < 0 or b")" in comment or b'"' in comment or b"\n" in comment:
        return False
    if comment.endswith((b"//", b"@", b"=", b"[")) and not comment.endswith(_VALUES):
        return False
    if not (b";" in comment or b"/" in comment or text[end : end + 1] == b";"):
        return False
    return (
        head.endswith(b"UID", 0, begin)  # HbbTV's receivers
        or _COMMENT.match(head, begin) is not None
        or _BEFORE_COMMENT.search(head, max(0, begin - _LONGEST_PRODUCT), begin) is not None
    )


def _has_letter(name: bytes) -> bool:
    return any(byte >= 128 for byte in name) or name.lower() != name.upper()
