"""An address or network that must not be banned, as an input tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.model.addresses import parse_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Spared(NamedTuple):
    """A canonical address or network, and why, for people: ``ignoreip of the jail sshd``."""

    target: str
    why: str


def spared(texts: Iterable[str], why: str) -> Iterator[Spared]:
    """Those of the texts that are addresses or networks."""
    for text in texts:
        try:
            yield Spared(parse_target(text), why)
        except ValueError:
            continue
