"""Input made to hurt: from the parse tree of a regular expression, what it begins to match again and again.

A backtracking matcher is slow where what it has matched can be matched again from another place, or in
another way, and the end does not fit. So of each pattern come texts of a head, a part of the pattern often,
and a tail that ends no match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

# What ``re`` makes of a pattern; it is what ``sre_parse`` was, and has no public name.
_parser: Any = re._parser  # type: ignore[attr-defined]
_constants: Any = re._constants  # type: ignore[attr-defined]

_MOST_PARTS = 5  # of a sequence that are repeated together
_MANY = 8  # a repeat of so many or more is worth being pumped by itself
_TAILS = ("", "\0", "!", "\n")
_CLASSES = {
    "CATEGORY_DIGIT": "5", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a",
    "CATEGORY_NOT_DIGIT": "a", "CATEGORY_NOT_SPACE": "a", "CATEGORY_NOT_WORD": "-",
}  # fmt: skip


class Pump(NamedTuple):
    """``head``, then ``part`` as often as is wanted, then ``tail``."""

    head: str
    part: str
    tail: str

    def text(self, size: int) -> str:
        """Some ``size`` characters of it."""
        return self.head + self.part * max(size // len(self.part), 1) + self.tail


def pumps(pattern: str | bytes, flags: int = 0) -> list[Pump]:
    """What may hurt this pattern, each once."""
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    tree = _parser.parse(text, flags & ~re.LOCALE & ~re.UNICODE)
    found = dict.fromkeys(
        (head, part) for head, part in _pumped(tree, "") if part and len(head) < 1000 and len(part) < 500
    )
    return [Pump(head, part, tail) for head, part in found for tail in _TAILS]


def _pumped(sequence: Any, head: str) -> Iterator[tuple[str, str]]:
    """Heads and parts of a sequence, and of all that is in it."""
    samples = [_sample(item) for item in sequence]
    for begin in range(len(samples)):
        before = head + "".join(samples[:begin])
        for end in range(begin + 1, min(len(samples), begin + _MOST_PARTS) + 1):
            yield before, "".join(samples[begin:end])
        yield from _inside(sequence[begin], before)
    yield head, "".join(samples)
    yield head, "".join(samples[:-1])


def _inside(item: Any, head: str) -> Iterator[tuple[str, str]]:
    kind, content = str(item[0]), item[1]
    if kind in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        _, most, body = content
        if most >= _MANY:
            yield from ((head, sample) for sample in _samples(body))
        yield from _pumped(body, head)
    elif kind == "SUBPATTERN":
        yield from _pumped(content[-1], head)
    elif kind == "ATOMIC_GROUP":
        yield from _pumped(content, head)
    elif kind == "BRANCH":
        for branch in content[1]:
            yield from _pumped(branch, head)
    elif kind in {"ASSERT", "ASSERT_NOT"}:
        yield from _pumped(content[1], head)


def _samples(sequence: Any) -> list[str]:
    """Some texts that match: one for each branch at the top."""
    if len(sequence) == 1 and str(sequence[0][0]) == "BRANCH":
        return ["".join(map(_sample, branch)) for branch in sequence[0][1][1]]
    if len(sequence) == 1 and str(sequence[0][0]) == "IN":
        return [*dict.fromkeys(_members(sequence[0][1]))][:4]
    return ["".join(map(_sample, sequence))]


def _sample(item: Any) -> str:
    """A text that matches, where there is one that is easily found."""
    kind, content = str(item[0]), item[1]
    if kind == "LITERAL":
        return chr(content)
    if kind == "NOT_LITERAL":
        return "a" if content != ord("a") else "b"
    if kind == "ANY":
        return "a"
    if kind == "IN":
        return next(iter(_members(content)), "a")
    if kind in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        least, most, body = content
        return "".join(map(_sample, body)) * int(max(least, min(1, most)))
    if kind == "SUBPATTERN":
        return "".join(map(_sample, content[-1]))
    if kind == "ATOMIC_GROUP":
        return "".join(map(_sample, content))
    if kind == "BRANCH":
        return "".join(map(_sample, content[1][0]))
    return ""  # an assertion, a place, what was matched before


def _members(members: Any) -> list[str]:
    """Some characters of a set."""
    if members and str(members[0][0]) == "NEGATE":
        excluded = set(_members(members[1:]))
        return [char for char in "a5 -.:'\"[(" if char not in excluded][:4]
    found = []
    for kind, content in members:
        if str(kind) == "LITERAL":
            found.append(chr(content))
        elif str(kind) == "RANGE":
            found.append(chr(content[0]))
        elif str(kind) == "CATEGORY":
            found.append(_CLASSES.get(str(content), "a"))
    return found
