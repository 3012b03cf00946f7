"""Publishers: where fresh databases come from. One file a publisher; its name mostly begins its databases'.

``dbip-city`` is published by ``dbip.py``; ``config.publishers`` says which publishers there are. The
contract, which ``tests/mmdb/downloads/publishers`` runs over all of them:

* ``NAMES`` are its databases. The publisher's own name stands for those in ``USUAL``.
* ``offer(name, settings, today, ask)`` says what to fetch, and what is true of it. It asks nobody itself:
  ``ask`` fetches something small. Raises ``UsageError`` when a key is missing, and what ``ask`` raises.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.config.publishers import PUBLISHERS
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from geocli.config.publishers import PublisherChoice
    from geocli.config.settings import Settings

DEFAULT = ("dbip-country", "dbip-asn")
"""What is fetched where nothing is said and nothing is there: free, and without a key."""


class Source(NamedTuple):
    """A file to fetch. ``parameters`` and ``account`` (name, password) are for the host of ``url`` alone.

    ``key_setting`` says where the key among them is set, for when it is refused.
    """

    url: str
    parameters: Mapping[str, str] = MappingProxyType({})
    account: tuple[str, str] | None = None
    key_setting: str | None = None


class Offer(NamedTuple):
    """One database as its publisher has it today.

    Of ``sources``, the newest first, the first that exists counts. ``gives`` is what it must give.
    ``licence`` goes into a file beside it. ``md5`` is that of the unpacked file, where the publisher tells.
    """

    sources: tuple[Source, ...]
    gives: tuple[str, ...]
    licence: str
    md5: str | None = None


def database_names(text: str) -> tuple[str, ...]:
    """The databases that a name on the command line means. Raises ``UsageError``."""
    choice = _publisher_of(text)
    if choice is not None and text == choice.name:
        return tuple(_module(choice).USUAL)
    if choice is None or text not in _module(choice).NAMES:
        known = ", ".join(name for publisher in PUBLISHERS for name in _module(publisher).NAMES)
        raise UsageError(f"no database is called {ascii(text)[:80]}: there is {known}, or a URL")
    return (text,)


def all_names() -> list[str]:
    """What ``database_names`` takes: each publisher, and each database of it."""
    names = [name for publisher in PUBLISHERS for name in (publisher.name, *_module(publisher).NAMES)]
    return list(dict.fromkeys(names))


def is_taken(name: str) -> bool:
    """Whether a name belongs to a publisher."""
    return _publisher_of(name) is not None


def offer(name: str, settings: Settings, today: date, ask: Callable[[Source], bytes]) -> Offer:
    """What there is of that name, one of ``database_names``. Raises ``UsageError`` when a key is missing."""
    choice = _publisher_of(name)
    if choice is None:
        raise UsageError(f"nobody publishes {ascii(name)[:80]}")
    found: Offer = _module(choice).offer(name, settings, today, ask)
    return found


def _publisher_of(name: str) -> PublisherChoice | None:
    """The publisher that a name, its own or a database's, belongs to."""
    for choice in PUBLISHERS:
        if name == choice.name or name in choice.databases or name.partition("-")[0] == choice.name:
            return choice
    return None


def _module(choice: PublisherChoice) -> Any:
    return importlib.import_module(choice.module)
