"""Online sources: what is the same for all of them. Each source is one file in ``providers``.

A source is a ``Source``: what to send for a batch, and what an answer says. How it is asked (batches,
limits, tries, several at once) is ``asking``, the shared limits are ``pacing``. Nothing of that, and no HTTP,
is imported before there is something to ask.
"""

from __future__ import annotations

from functools import lru_cache
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from geocli.model.addresses import parse_target
from geocli.model.records import NOTHING, Answer

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence


TEXT = frozenset({str})
NUMBER = frozenset({int, float})
TEXT_OR_NUMBER = frozenset({str, int})


class Limit(NamedTuple):
    """A documented limit: so many requests in so many seconds."""

    requests: int
    seconds: float


class Source(Protocol):
    """One service. Its name is the provider's, and the ``source`` of its records."""

    @property
    def name(self) -> str:
        """The value of ``--provider``."""

    @property
    def url(self) -> str:
        """Where batches are sent, as a JSON array of addresses."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """What the query of the URL says; a key may be among it."""

    @property
    def batch_size(self) -> int:
        """Addresses that it takes at once, at most."""

    @property
    def limit(self) -> Limit | None:
        """The documented limit."""

    @property
    def key_setting(self) -> str:
        """Where its key is set, in words."""

    def read(self, body: Any, targets: Sequence[str]) -> dict[str, Answer]:
        """What the decoded answer says, by canonical address; ``NOTHING`` is "it has no data on that".

        A target that is not in the result was not answered. Raises ``MalformedError``.
        """


class MalformedError(ValueError):
    """An answer, or a part of it, is not what the source documents."""


def values_of(item: Any, types: Mapping[str, frozenset[type]]) -> list[Any]:
    """The item's values of these names, ``None`` for what is not there. Raises ``MalformedError``.

    A value of another type than documented makes the whole item worth nothing.
    """
    if type(item) is not dict:
        raise MalformedError("an item is not an object")
    values = list(map(item.get, types))
    if not _are_allowed(tuple(map(type, values)), tuple(types.values())):
        raise MalformedError("a value is not of the type that it should be")
    return values


@lru_cache(maxsize=1000)
def _are_allowed(found: tuple[type, ...], allowed: tuple[frozenset[type], ...]) -> bool:
    return all(one is NoneType or one in those for one, those in zip(found, allowed, strict=True))


def target_of(text: Any, targets: Container[str]) -> str | None:
    """Which of the targets a source's spelling of an address means, if any."""
    if type(text) is not str:
        return None
    if text not in targets:
        try:
            text = parse_target(text)
        except ValueError:
            return None
    return text if text in targets else None


def complete(answer: Answer, *said: object) -> Answer:
    """The answer, unless the source said something and nothing of it could be used."""
    if answer == NOTHING and any(value not in {None, "", "-"} for value in said):
        raise MalformedError("nothing in an item can be used")
    return answer
