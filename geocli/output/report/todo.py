"""What a page says there is to do: networks to ban, what they hold and cost, and how to get the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class NetworkToBan(NamedTuple):
    """A network with its holder (name and kind), its banned addresses, bans, their share, and its size."""

    network: str
    holder: str | None
    kind: str
    addresses: int
    bans: int
    share: float
    blocked: int


class ToDo(NamedTuple):
    """The networks, most bans first; all of it in a ``sentence``; the ``command`` that prints rules.

    ``left_out`` is how many networks are not in it because somebody who is allowed is in them; ``notes`` are
    what the reader must know before using it.
    """

    networks: Sequence[NetworkToBan]
    sentence: str
    command: str
    left_out: int = 0
    notes: Sequence[str] = ()
