"""The quick patterns: addresses that are plain, and the places of which a closer look must decide.

Most text is read by these alone, so they are written for speed. The groups are empty, their numbers say what
was met: a width of the first number, or that something is in doubt. A match without a group means nothing.
"""

from __future__ import annotations

import re
from functools import cache

from geocli.inputs.address_words import (
    BEFORE_PORTS,
    FIRST_OCTETS,
    V4_AHEAD,
    V4_REST,
    V4_WIDTHS,
    V6_AHEAD,
    V6_REST,
    V6_WIDTHS,
)

V4_PLAIN = 3
"""Groups of IPv4 up to this one: a plain address, with a first octet of so many digits."""
V4_LOOK = 7
"""Up to this one, what stands before or behind the address has to be looked at; after it, at all the line."""
V6_PLAIN = 6
"""Groups of IPv6 from the second to this one: an address that stands apart."""
V6_LOOK = 11
"""Up to this one, what stands around the address has to be looked at; of the others, all the line.

One less and modulo 5, the number is how many digits the first group has.
"""

SPOKEN = (rb"sputnik [0-9]", rb"Maemo Browser [0-9]", rb"Linux [23]")
"""Names with a blank before their version, and the first number of that."""
_NOT_SPOKEN = b"".join(rb"(?<!%s\.)" % version for version in SPOKEN)
# Most addresses stand behind none of these. Behind "/" may be a version, behind ":" too.
_PLAIN_WIDTHS = b"|".join(
    rb"(?<=[^0-9A-Za-z_.%%/:@-]%s\.)%s()" % (octet, b"" if width > 1 else _NOT_SPOKEN)
    for width, octet in enumerate(FIRST_OCTETS, 1)
)
# What may be a network or a range, one half of it escaped, what has been defanged, or part of what a browser
# calls itself.
_GOES_ON = rb" ?[;)]| (?:Build|Profile)/|-[0-9A-Za-z_]|/[0-9]|\\/[0-9]|\\\.[0-9]|[\[({][.dD]|\.[0-9A-Za-z_]"
# What stands before the first number so that it is certainly no address: part of a host name or a version.
# An escape may end in a letter, too, but not behind a letter of this kind.
_NOT_BEHIND = b"|".join(
    rb"(?<=[A-Za-z_][.-]%s)|(?<=[^0-9A-Fa-f\\;\[?(^=%%xuU][A-Za-z_]%s)" % (first, first)
    for first in (rb"[0-9]\.", rb"[0-9]{2}\.", rb"[0-9]{3}\.")
)
# What stands behind the last number so that it is certainly none: a host name, a version, or more numbers;
# but that may be a port (tcpdump's, netstat's, dante's).
_NO_PORT = rb"(?! >|[:,]|[ \t]{1,40}[0-9*a-fA-F:])"
_NOT_BEFORE = (
    rb"[0-9]{1,3}(?:\.[0-9]{1,3}){2}(?:[A-Za-z_]|-[A-Za-z_]"
    rb"|\.(?>[A-Za-z_][0-9A-Za-z_-]*)" + _NO_PORT + rb"|\.(?>[0-9]+)(?:\.[0-9]|(?!\.)" + _NO_PORT + rb"))"
)
# What most browsers call themselves is seen at a glance.
_BROWSER = b"|".join(
    rb"(?<= %s/%s\.)" % (name, digits)
    for name in (b"Chrome", b"Edg", b"OPR")
    for digits in (rb"[0-9]{2}", rb"[0-9]{3}")
)
# What is none, and taken whole, so that none of its full stops is looked at again.
_NO_V4 = (
    rb"(?:" + _BROWSER + rb")" + V4_REST + rb'(?=[ "])'
    rb"|(?:" + _NOT_BEHIND + rb")[0-9.]*"
    rb"|" + _NOT_BEFORE + rb"[0-9.]*"
)  # fmt: skip
_V4 = (
    rb"(?s)\.(?:(?=[0-9]{1,3}\.[0-9])(?<=[0-9]\.)(?:"
    rb"(?:" + _PLAIN_WIDTHS + rb")" + V4_REST + rb"(?!" + _GOES_ON + rb")"
    rb"|" + V4_AHEAD + rb"(?:"
    rb"(?:" + _BROWSER + rb")" + V4_REST + rb'(?=[ "])|'
    + V4_WIDTHS + V4_REST + rb"(?:(?!" + _GOES_ON + rb")|(?=-[0-9]|/[0-9]| ?[;)]| (?:Build|Profile)/)())"
    rb"|(?:" + _NOT_BEHIND + rb")[0-9.]*"
    rb"|" + _NOT_BEFORE + rb"[0-9.]*"
    rb"|()))"
    # Defanged: 1[.]2, 1(.)2, 1{.}2, 1[.2 and 1\.2.
    rb"|[\])}]()|(?<=[\\\[]\.)(?=[0-9])())"
)  # fmt: skip
# The same, for text in which all is plain. Its one group is the whole address: it reaches from before the
# first full stop, where the pattern begins, to the end. What is in doubt takes all the rest of the text.
_BEHIND = rb"[^0-9A-Za-z_.%/:@-]"
_WHOLE_V4 = (
    rb"(?:" + _BEHIND + rb"(?=%s\.)|." % FIRST_OCTETS[2] + _BEHIND + rb"(?=%s\.)" % FIRST_OCTETS[1]
    + rb"|.." + _BEHIND + rb"(?=%s\.%s))" % (FIRST_OCTETS[0], _NOT_SPOKEN)
    + rb"([0-9]{1,3}\." + V4_REST + rb')(?:(?=[\n,"\]:]| [^;)BP])|(?!' + _GOES_ON + rb"))"
)  # fmt: skip
_ONLY_V4 = (
    rb"(?s)\.(?:(?=[0-9]{1,3}\.[0-9])(?<=[0-9]\.)(?:"
    rb"(?<=(?=" + _WHOLE_V4 + rb").{4}\.)[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}"
    rb"|" + V4_AHEAD + rb"(?:" + _NO_V4 + rb"|.*))"
    rb"|[\])}].*|(?<=[\\\[]\.)(?=[0-9]).*)"
)  # fmt: skip
LOOKED_BACK = 6
"""How many bytes there must be before what ``only_v4`` and ``only_v6`` are to find."""
# What stands around an address that is nothing else. Behind a blank may be what follows a port.
_APART = rb"[ \n\t\",()\]=]"
_APART_WIDTHS = b"|".join(rb"(?<=%s[0-9A-Fa-f]{%d}:)()" % (_APART, width) for width in (1, 2, 3, 4, 0))
# A time of day is given up at once.
_V6_BEGINS = rb"(?s):(?=[:\]]|[0-9A-Fa-f]{1,4}+:(?::|[0-9A-Fa-f]{1,4}+:(?::|[0-9A-Fa-f]{1,4}+:)))(?:"
# More groups than any address has: the head of a frame (MAC=... in the kernel's log).
_FRAME = rb"(?=(?:[0-9A-Fa-f]{0,4}:){10})[0-9A-Fa-f:]+"
_V6_APART = V6_REST + rb"(?=" + _APART + rb"|\Z)(?! [\[(])"
_V6_LOOK = (
    V6_WIDTHS + V6_REST
    # No second half, and no zone that may be an escape.
    + rb"(?![.-][0-9A-Za-z_]|%[0-9A-F][0-9A-Fa-f]|\\/[0-9]|\[:)"
)  # fmt: skip
_NO_V6 = rb"(?=:[G-Zg-z_])|(?<=[A-Za-z_][G-Zg-z_]:)|(?<=:::)|(?=::)"
_V6 = (
    _V6_BEGINS +
    # Defanged: 2001[:]db8, 2001:db8[::]1.
    rb"(?=:?\])(?<=[0-9A-Fa-f]\[:)()"
    rb"|(?!\])" + V6_AHEAD + rb"(?:"
    + _FRAME + rb"|(?:" + _APART_WIDTHS + rb")" + _V6_APART + rb"|" + _V6_LOOK + rb"|" + _NO_V6 + rb"|()))"
)  # fmt: skip
_WHOLE_V6 = (
    rb"(?:" + b"|".join(
        rb"." * (4 - width) + _APART + rb"(?=[0-9A-Fa-f]{%d}:)" % width for width in (4, 3, 2, 1, 0)
    ) + rb")" + b"".join(rb"(?<!%s)" % re.escape(before) for before in BEFORE_PORTS)
    + rb"([0-9A-Fa-f]{0,4}:" + V6_REST + rb")(?=" + _APART + rb"|\Z)(?! [\[(])"
)  # fmt: skip
_ONLY_V6 = (
    _V6_BEGINS +
    rb"(?=:?\])(?<=[0-9A-Fa-f]\[:).*"
    rb"|(?!\])" + V6_AHEAD + rb"(?:"
    + _FRAME + rb"|(?<=(?=" + _WHOLE_V6 + rb").{5}:)" + V6_REST
    + rb"|(?!" + _V6_LOOK.replace(b"()", b"") + rb")(?:" + _NO_V6 + rb")|.*))"
)  # fmt: skip
_MAYBE_V6 = rb":(?:[:\]]|" + rb"[0-9A-Fa-f]{1,4}+:" * 5 + rb")"


@cache
def plain_v4() -> re.Pattern[bytes]:
    """Return the pattern of IPv4: it begins at the first full stop of an address."""
    return re.compile(_V4)  # when first needed: that takes as long as a fifth of a look-up of one address


@cache
def only_v4() -> re.Pattern[bytes]:
    """Return a pattern with one group: a plain address. What is in doubt matches with all that follows."""
    return re.compile(_ONLY_V4)


@cache
def only_v6() -> re.Pattern[bytes]:
    """Return the same for IPv6."""
    return re.compile(_ONLY_V6)


@cache
def plain_v6() -> re.Pattern[bytes]:
    """Return the pattern of IPv6: it begins at the first colon of an address."""
    return re.compile(_V6)


@cache
def maybe_v6() -> re.Pattern[bytes]:
    """Return a pattern of what every IPv6 address has in it; to look for it takes half the time."""
    return re.compile(_MAYBE_V6)
