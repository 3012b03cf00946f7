r"""One line of fail2ban's log, behind whatever stands before it: ``[JAIL] VERB IDENTIFIER``.

``2026-11-23 21:42:00,606 fail2ban.actions [728]: NOTICE [sshd] Ban 192.0.2.1`` is fail2ban's own form (0.8
logs bans as WARNING, syslog drops the date, ``-vv`` and own formats write less). Before it may stand, once
each and in this order: the file's name and the line's number (``grep -Hn``), the container's name (``docker
compose``, ``kubectl --prefix``), the runtime's time (``docker -t``, CRI), and the head of a syslog or of any
``journalctl -o short...``: time, host, tag.

Whoever can make another program log a line must not make a ban: a user name, a path. So everything from the
line's first byte to the jail must be one of those. Trusted is what fail2ban alone writes:

* a tag or a container's name with ``fail2ban`` or ``f2b`` in it;
* fail2ban's own time and logger, at the line's start, behind a container's other name, or behind a tag that
  is a container's id;
* the bare form (neither time, nor logger, nor tag) only at the start of a line, and only until the log shows
  that it has heads: whoever can begin a line of a text without heads can write anything into it.

Any other line that has ``[JAIL] VERB IDENTIFIER`` in it is claimed, and is no event.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

from geocli.inputs.fail2ban.stamps import CLOCK, DATE, FRACTION, ZONE


class Verb(IntEnum):
    """What became of a ban."""

    NONE = 0  # a failure was found, or ignored
    BAN = 1
    UNBAN = 2
    RESTORE = 3
    THERE = 4  # it was there before: "already banned", "Reban"
    INCREASE = 5


class Event(NamedTuple):
    """What a line tells of a ban, as bytes of the line. ``own`` is fail2ban's time, others the prefix's."""

    verb: Verb
    jail: bytes
    identifier: bytes
    own: bytes | None
    exact: bytes | None = None
    epoch: bytes | None = None
    local: bytes | None = None
    day: bytes | None = None
    clock: bytes | None = None
    year: bytes | None = None
    is_bare: bool = False


class Other(IntEnum):
    """What a line is that tells of no ban."""

    FAIL2BANS = 1
    CLAIMED = 2  # it has a jail and a verb, and is not trusted
    FOREIGN = 3


_VERBS = {
    b"Ban": Verb.BAN,
    b"Unban": Verb.UNBAN,
    b"Repeal Ban": Verb.UNBAN,
    b"Restore Ban": Verb.RESTORE,
    b"Reban": Verb.THERE,
    b"Increase Ban": Verb.INCREASE,
}
_OURS = rb"[\w.@/-]{0,64}?(?:fail2ban|f2b)[\w.@/-]{0,64}"
_CONTAINER_ID = rb"(?:[0-9a-f]{64}|[0-9a-f]{12})"
_NO_ZONE = DATE + rb"[T ]" + CLOCK + FRACTION
_EXACT = DATE + rb"[T ]" + CLOCK + FRACTION + ZONE
_STAMP = (
    rb"(?:(?:[A-Z][a-z]{2} )?(?P<day>[A-Z][a-z]{2} {1,2}[0-9]{1,2}) (?:(?P<year>[12][0-9]{3}) )?"
    rb"(?P<clock>" + CLOCK + rb")" + FRACTION + rb"(?: (?P<year2>[12][0-9]{3}))?"
    rb"|(?P<exact>" + _EXACT + rb")"
    rb"|(?P<local>" + DATE + rb"[T ]" + CLOCK + rb")" + FRACTION
    + rb"|[A-Z][a-z]{2} (?P<full>" + DATE + rb" " + CLOCK + rb")" + FRACTION
    + rb" (?:(?P<utc>UTC|GMT)|[A-Z]{2,5}|[+-][0-9]{2,4})"
    rb"|\[ *[0-9]{1,10}\.[0-9]{1,6}(?: <[ 0-9.]{1,20}>)?\]"
    rb"|(?P<epoch>[0-9]{9,10})\.[0-9]{1,6})"
)  # fmt: skip
_HOST = rb"(?:[^\s\[\]]{0,254}[^\s\[\]:] )?(?:[a-z0-9]{2,8}\.[a-z]{3,7} )?"
_NAMED = _OURS + rb"|" + _CONTAINER_ID
_SYSLOG = (
    rb"(?:<[0-9]{1,3}>)?(?:1 (?:(?P<rfc>" + _EXACT + rb")|-) \S{1,255} (?P<app>" + _NAMED + rb") \S{1,128}"
    rb" \S{1,32} (?:-|(?:\[[^\]]{0,1000}\]){1,9}) ?(?:\xef\xbb\xbf)?"
    rb"|" + _STAMP + rb" " + _HOST + rb"(?P<tag>" + _NAMED + rb")(?:\[[0-9]{1,10}\])?: ?)"
)  # fmt: skip
_PREFIX = (
    rb"(?:(?!" + DATE + rb"[T ])[^\s:|\[\]<>\"']{1,255}:)?(?:[0-9]{1,12}[:-])?"
    rb"(?:(?P<container>[\w.@-]{1,128}) +\| |\[pod/(?P<pod>[\w./-]{1,200})\] )?"
    rb"(?:(?P<runtime>" + _EXACT + rb") (?:std(?:out|err) [FP] )?)?"
    rb"(?:" + _SYSLOG + rb")?"
)
_LEVEL = rb"(?:CRITI(?:CAL)?|ERROR|WARN(?:I|ING)?|NOTIC(?:E)?|INFO|DEBUG|HEAVY(?:DEBUG)?|TRACE(?:DEBUG)?)"
_HEAD = (
    rb"[ \t]{0,8}(?:(?:"
    rb"(?P<own>" + DATE + rb"[T ]" + CLOCK + rb")" + FRACTION + ZONE + rb"?"
    rb"|(?P<logger>fail2ban)(?:-server|-client)?(?:\.(?P<module>[\w.]{1,64}))?(?:\[[0-9]{1,10}\])?"
    rb"|" + _LEVEL + rb"|\[ {0,8}[0-9]{1,10}\]|\+ {0,8}[0-9]{1,12}|[0-9]{1,7}|[0-9A-F]{8,16}"
    rb"|\|[ \w.]{1,40}-[0-9]{1,2} {0,4}:[ \w.<>]{1,40}\||[|-]"
    rb")[ \t:]{1,40}){0,12}"
)  # fmt: skip
_EVENT = (
    rb"\[(?P<jail>[^\]\r\n]{0,256})\] (?:(?P<verb>Restore Ban|Repeal Ban|Increase Ban|Ban|Unban|Reban)"
    rb"(?: (?P<rest>.*?))?|(?P<there>\S{1,256}) already banned|(?P<none>Found|Ignore) .*?)\r?\n?\Z"
)
_EVENT_LINE = re.compile(_PREFIX + _HEAD + _EVENT, re.DOTALL)
_OTHER_LINE = re.compile(_PREFIX + _HEAD)
# The form of nearly all logs, which is read four times as fast.
_USUAL_HEAD = re.compile(
    rb"(" + DATE + rb" " + CLOCK + rb")" + FRACTION
    + rb" fail2ban\.([\w.]++) *+(?:\[[0-9]++\] *+)?: ++(?:[A-Z]++ ++)?"
)  # fmt: skip
_USUAL_EVENT = re.compile(_EVENT, re.DOTALL)
USUAL_LINE = re.compile(
    rb"("
    + DATE
    + rb" "
    + CLOCK
    + rb")"
    + FRACTION
    + rb" fail2ban\.(?:actions|(filter)) *+(?:\[[0-9]++\] *+)?: ++"
    rb"(?:[A-Z]++ ++)?\[([^\]\r\n]{0,256})\] (?(2)Found [^\n]*+|(Ban|Unban) ([^\r\n]*+))\n"
)
"""What nearly all lines of such a log are: a time, whether it is a filter's, a jail, a verb, an identifier.

What it matches, ``parse_line`` understands in the same way.
"""
_WORDS = rb"Found|Ban|Unban|Restore Ban|Repeal Ban|Increase Ban|Reban|Ignore"
_CANDIDATE = re.compile(rb"fail2ban|f2b|\] (?:" + _WORDS + rb") | already banned")
_CLAIM = re.compile(rb"\[[^\]\[\s][^\]\[\r\n]{0,100}\] (?:(?:" + _WORDS + rb") \S|\S{1,100} already banned)")
_FOREIGN = re.compile(
    rb"(?:(?!" + DATE + rb"[T ])[^\s:|\[\]<>\"']{1,255}:)?(?:[0-9]{1,12}[:-])?(?:<[0-9]{1,3}>)?"
    rb"(?:1 (?:" + _EXACT + rb"|-) \S+ \S+ \S+ \S+ "
    rb"|(?:[A-Z][a-z]{2} {1,2}[0-9]{1,2} " + CLOCK + FRACTION + rb"|" + _EXACT.replace(rb"[T ]", b"T")
    + rb"|[A-Z][a-z]{2} " + _NO_ZONE + rb" [A-Z]{2,5}) [^\s\[\]]{1,255} [^\s:\[]{1,64}(?:\[[0-9]{1,10}\])?: )"
)  # fmt: skip
_ANSI = re.compile(rb"\x1b\[[0-9;]{0,16}m")
_MODULES = {None, b"actions", b"observer", b"server.actions", b"server.observer"}
_UNITS = {b"service", b"scope"}
_ACTION = re.compile(rb", action '[^']*'\Z")
_LONGEST = 1 << 16
"""No line of a log tells of a ban behind so many bytes."""


def parse_line(line: bytes) -> Event | Other | None:
    """Return what a line tells; ``None`` when it is neither fail2ban's nor another program's log."""
    usual = _USUAL_HEAD.match(line)
    if usual is not None:
        event = _USUAL_EVENT.match(line, usual.end())
        if event is None or event["none"]:
            return Other.FAIL2BANS
        if usual[2] not in _MODULES:
            return Other.CLAIMED
        return _event(event, usual[1])
    if _CANDIDATE.search(line, 0, _LONGEST) is None:
        return Other.FOREIGN if _FOREIGN.match(line) else None
    if b"\x1b" in line:
        line = _ANSI.sub(b"", line)
    match = _EVENT_LINE.match(line)
    if match is not None and (trusted := _trusted(match)) is not None:
        return trusted
    other = _OTHER_LINE.match(line) if match is None else None
    if other is not None and (other["logger"] or _is_ours(_tag(other))):
        return Other.FAIL2BANS
    if _CLAIM.search(line, 0, _LONGEST):
        return Other.CLAIMED
    return Other.FOREIGN if _FOREIGN.match(line) else None


def _trusted(match: re.Match[bytes]) -> Event | None:
    """The event of a line, if its head is fail2ban's."""
    tag = _tag(match)
    is_ours = _is_ours(tag)
    own, logger, module, nothing, syslog_tag = match.group("own", "logger", "module", "none", "tag")
    exact, rfc, runtime, full, utc = match.group("exact", "rfc", "runtime", "full", "utc")
    epoch, local, day, clock, year, year2 = match.group("epoch", "local", "day", "clock", "year", "year2")
    if tag is not None and not is_ours and not (logger and (own or runtime)):
        return None
    is_bare = not (is_ours or logger or own)
    if nothing:
        return Event(Verb.NONE, b"", b"", None, is_bare=is_bare)
    if module not in _MODULES:
        return None
    _, dot, unit = (syslog_tag or b"").partition(b"fail2ban.")
    if dot and unit not in _MODULES and unit not in _UNITS:
        return None
    exact = exact or rfc or runtime or (utc and full + b"Z")
    event = _event(match, own)
    return Event(*event[:4], exact, epoch, local or full, day, clock, year or year2, is_bare)


def _tag(match: re.Match[bytes]) -> bytes | None:
    """Who logged a line, as its prefix says."""
    return match["tag"] or match["app"] or match["container"] or match["pod"]


def _is_ours(tag: bytes | None) -> bool:
    return tag is not None and (b"fail2ban" in tag or b"f2b" in tag)


def _event(match: re.Match[bytes], own: bytes | None) -> Event:
    if match["there"] is not None:
        return Event(Verb.THERE, match["jail"], match["there"], own)
    verb = _VERBS[match["verb"]]
    rest = match["rest"] or b""
    if match["verb"] == b"Reban":
        rest = _ACTION.sub(b"", rest)
    return Event(verb, match["jail"], rest, own)
