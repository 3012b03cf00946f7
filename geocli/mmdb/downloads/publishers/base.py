"""Publishers: where fresh databases come from. One file a publisher; its name begins those of its databases.

``dbip-city`` is published by ``dbip.py``; ``config.sources`` says which publishers there are. The contract,
which ``tests/mmdb/downloads/publishers`` runs over all of them:

* ``NAMES`` are its databases. The publisher's own name stands for those in ``USUAL``.
* ``offer(name, settings, today, ask)`` says what to fetch, and what is true of it. It asks nobody itself:
  ``ask`` fetches something small. Raises ``UsageError`` when a key is missing, and what ``ask`` raises.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.config.sources import PUBLISHERS
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

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
    module = _module(text.partition("-")[0])
    if module is not None and text == text.partition("-")[0]:
        return tuple(module.USUAL)
    if module is None or text not in module.NAMES:
        known = [name for publisher in PUBLISHERS for name in _module(publisher.name).NAMES]
        raise UsageError(f"no database is called {ascii(text)[:80]}: there is {', '.join(known)}, or a URL")
    return (text,)


def is_taken(name: str) -> bool:
    """Whether a name belongs to a publisher."""
    return any(name.partition("-")[0] == publisher.name for publisher in PUBLISHERS)


def offer(name: str, settings: Settings, today: date, ask: Callable[[Source], bytes]) -> Offer:
    """What there is of that name, one of ``database_names``. Raises ``UsageError`` when a key is missing."""
    found: Offer = _module(name.partition("-")[0]).offer(name, settings, today, ask)
    return found


def _module(name: str) -> Any:
    """The module of a publisher, ``None`` where there is none of that name."""
    for choice in PUBLISHERS:
        if choice.name == name:
            return importlib.import_module(choice.module)
    return None
