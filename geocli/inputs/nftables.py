"""nftables: ``nft list ruleset`` (table, set, map) and ``nft -j list``: sets of addresses, rules that drop.

An element's ``timeout`` and ``expires`` tell when it was banned and until when. Sets of ports and the like
are passed over, and sets whose names say that they let somebody in. ``addr-set-sshd`` and ``f2b-sshd`` are
fail2ban's sets: of the jail sshd.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from geocli.inputs.ban_ranges import banned_targets
from geocli.inputs.ban_reader import LineReader
from geocli.inputs.durations import seconds_of
from geocli.inputs.fail2ban.times import moment_text
from geocli.model.bans import Ban
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from geocli.inputs.ban_reader import Reading, Tally

_HANDLE = rb"(?: # handle [0-9]{1,20})?\s*\Z"  # with nft -a
_BLOCK = re.compile(rb"\s*+(?:(?:add )?(table|set|map|chain)|\w++) [^{}\n]{1,300}\{" + _HANDLE)
_SET = re.compile(rb"\s*+(?:set|map) (\S{1,256}) \{" + _HANDLE)
_ADD = re.compile(rb"add element (?:\w{1,16} ){0,1}\S{1,256} (\S{1,256}) \{(.*)\}\s*\Z", re.DOTALL)
_TYPE = re.compile(rb"\s*+type(?:of)? ([^\n;]{1,300})")
_ELEMENTS = re.compile(rb"\s*+elements = \{(.*)\Z", re.DOTALL)
_RULE = re.compile(
    rb"\s*+(?:[^\n\"]{0,300}? )?ip6? saddr (?:\{([^}\n]*)\}|([0-9A-Fa-f][^\s{}@]{1,100}))"
    rb"[^\n]*? (?:drop|reject)\b"
)
_ADDRESSES = re.compile(rb"\b(?:ipv4_addr|ipv6_addr|saddr|daddr)\b")
_ALLOWS = re.compile(r"allow|white|trust|accept|ignore|exempt|bypass", re.IGNORECASE)
_JAIL = re.compile(r"(?:f2b|fail2ban|addr6?-set)-(.{1,200})")


def sniff(line: bytes) -> bool:
    """Whether a table or a set begins, or elements are added to one."""
    return _BLOCK.match(line) is not None or _ADD.match(line) is not None


def read(reading: Reading, tally: Tally) -> RulesetReader:
    """Return what reads such listings."""
    return RulesetReader(reading, tally)


def jail_of(name: str) -> str | None:
    """Return the jail whose set, list or chain has this name; ``None`` when it is not fail2ban's."""
    match = _JAIL.fullmatch(name)
    return clean_text(match[1]) if match else None


def lets_in(name: str) -> bool:
    """Whether the name of a set says that who is in it is not banned."""
    return _ALLOWS.search(name) is not None


class RulesetReader(LineReader):
    """The lines of a listing: blocks in braces."""

    _depth = 0
    _set: str | None = None
    _has_addresses = False
    _in_elements = False

    def bans_in(self, line: bytes) -> list[Ban] | None:
        """Return the bans in a line of the listing."""
        if self._in_elements:
            return self._elements(line)
        if added := _ADD.match(line):
            self._set, self._has_addresses = added[1].decode("utf-8", "replace"), True
            return self._bans_of(added[2].split(b","))
        if _BLOCK.match(line):
            self._depth += 1
            named = _SET.match(line)
            self._set = named[1].decode("utf-8", "replace") if named else None
            self._has_addresses = False
            self.tally.answers += 1
            return []
        if not self._depth:
            return None
        if line.strip() == b"}":
            self._depth -= 1
            self._set = None
        elif kind := _TYPE.match(line):
            self._has_addresses = _ADDRESSES.search(kind[1]) is not None
        elif elements := _ELEMENTS.match(line):
            self._in_elements = True
            return self._elements(elements[1])
        elif rule := _RULE.match(line):
            words = (rule[1] or rule[2]).split(b",")
            return [
                Ban(None, target)
                for word in words
                for target in banned_targets(word.decode("utf-8", "replace"))
            ]
        return []

    def bans_after(self, line: bytes) -> list[Ban] | None:
        """Pass over the blank lines between tables."""
        return None if line.strip() else []

    def _elements(self, text: bytes) -> list[Ban]:
        body, brace, _ = text.partition(b"}")
        self._in_elements = not brace
        return self._bans_of(body.split(b","))

    def _bans_of(self, elements: Iterable[bytes]) -> list[Ban]:
        if not self._has_addresses or self._set is None or lets_in(self._set):
            return []
        return [ban for element in elements for ban in self._element(element.decode("utf-8", "replace"))]

    def _element(self, text: str) -> list[Ban]:
        words = text.split(":")[0].split() if " : " in text else text.split()
        if not words:
            return []
        told = dict(pairwise(words))
        timeout, left = (seconds_of(told.get(name, "")) for name in ("timeout", "expires"))
        return bans_of(words[0], self._set, self.now, timeout, left)


def bans_of(word: str, name: str | None, now: float, timeout: float | None, left: float | None) -> list[Ban]:
    """Return the bans of an element: it lasts ``timeout`` seconds of which some are ``left``, if it ends."""
    begin = moment_text(now - (timeout - left)) if timeout and left is not None else None
    end = moment_text(now + left) if left is not None else None
    return [Ban(jail_of(name or ""), target, begin, end) for target in banned_targets(word)]


def sniff_value(value: Any) -> bool:
    """Whether an object is what ``nft -j`` prints."""
    return isinstance(value, dict) and isinstance(value.get("nftables"), list)


def read_value(reading: Reading, tally: Tally) -> Callable[[Any], list[Ban]]:  # noqa: ARG001
    """Return what tells the bans of such an object."""
    return lambda value: [ban for part in value["nftables"] for ban in _bans_in_part(part, reading.now)]


def _bans_in_part(part: Any, now: float) -> list[Ban]:
    if not isinstance(part, dict):
        return []
    named = part.get("set") or part.get("map") or part.get("element")
    if isinstance(named, dict):
        name, elements = named.get("name"), named.get("elem")
        if not isinstance(name, str) or not isinstance(elements, list) or lets_in(name):
            return []
        return [ban for element in elements for ban in _bans_in_element(element, name, now)]
    rule = part.get("rule")
    return _bans_in_rule(rule, now) if isinstance(rule, dict) and isinstance(rule.get("expr"), list) else []


def _bans_in_rule(rule: dict[str, Any], now: float) -> list[Ban]:
    expressions = [each for each in rule["expr"] if isinstance(each, dict)]
    if not any("drop" in each or "reject" in each for each in expressions):
        return []
    bans = []
    for expression in expressions:
        match = expression.get("match")
        if not isinstance(match, dict) or match.get("op", "==") != "==":
            continue
        left, right = match.get("left"), match.get("right")
        payload = left.get("payload") if isinstance(left, dict) else None
        if isinstance(payload, dict) and payload.get("field") == "saddr":
            several = right.get("set") if isinstance(right, dict) else None
            for each in several if isinstance(several, list) else [right]:
                bans += _bans_in_element(each, "", now)
    return bans


def _is_object(value: dict[str, Any], name: str) -> bool:
    return isinstance(value.get(name), dict)


def _bans_in_element(element: Any, name: str, now: float) -> list[Ban]:
    timeout = left = None
    if isinstance(element, list):  # of a map
        element = element[0] if element else None
    if isinstance(element, dict) and _is_object(element, "elem"):
        whole = element["elem"]
        element = whole.get("val")
        timeout, left = _seconds(whole.get("timeout")), _seconds(whole.get("expires"))
    if isinstance(element, dict) and isinstance(element.get("concat"), list) and element["concat"]:
        element = element["concat"][0]
    if isinstance(element, dict) and _is_object(element, "prefix"):
        element = f"{element['prefix'].get('addr')}/{element['prefix'].get('len')}"
    elif isinstance(element, dict) and isinstance(element.get("range"), list) and len(element["range"]) == 2:
        element = "-".join(map(str, element["range"]))
    return bans_of(element, name, now, timeout, left) if isinstance(element, str) else []


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
