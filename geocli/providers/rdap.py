"""RDAP: who has registered an address, a network or an AS number, and where complaints go.

RFC 9083 has the form of answers, RFC 7095 that of contacts (jCard). A bootstrap server leads on to the
registry that knows. Nothing in an answer is trusted.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from geocli.model.errors import GeocliError, UnanswerableError
from geocli.model.normalize import text as text_of
from geocli.model.records import utc_text
from geocli.providers.online.base import Limit
from geocli.providers.online.rate_limit import RateLimit
from geocli.providers.registrations import KeptRegistrations, Registration, is_mail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.config.settings import Settings
    from geocli.system.reporter import Reporter

_LIMIT = Limit(1, 1.0)
"""Courtesy: no registry asks for less."""

_TOTAL = 60  # seconds for all redirects together
_LARGEST = 1 << 20  # bytes; an answer has some ten thousand
_MOST_ENTITIES = 200
_OK, _UNKNOWN, _TOO_MANY = 200, 404, 429


class Rdap:
    """Asks about addresses and networks (``ip``) and AS numbers (``autnum``)."""

    def __init__(self, settings: Settings, reporter: Reporter) -> None:
        self._url = settings.whois_url.rstrip("/")
        self._host = urlsplit(self._url).netloc
        self._timeout = settings.whois_timeout
        self._reporter = reporter
        self._kept = KeptRegistrations(settings.data_dir)
        self._pacing = RateLimit(
            *(settings.data_dir / "pacing", f"rdap-{self._host}", _LIMIT, settings.max_wait),
            reporter.waiting,
        )

    def find(self, kind: str, name: str) -> Registration | None:
        """Return what is registered, ``None`` where nothing is. Raises ``UnanswerableError``."""
        if (kept := self._kept.find(kind, name, time.time())) is not None:
            return kept
        body = self._ask(f"{self._url}/{kind}/{name}")
        if body is None:
            return None
        try:
            found = registration(json.loads(body), utc_text(time.time()))
        except (ValueError, RecursionError):
            raise self._problem("its answer is no RDAP") from None
        try:
            self._kept.keep(kind, name, found, time.time())
        except (OSError, GeocliError) as error:
            self._reporter.detail(f"whois: the answer is not kept: {error}")
        return found

    def _ask(self, url: str) -> bytes | None:
        from geocli.system.http import FailedError, Limits, Request, fetch  # only where somebody is asked

        parts: list[bytes] = []
        asyncio.run(self._pacing.enter())
        try:
            reply = fetch(
                Request(url, headers={"accept": "application/rdap+json, application/json"}),
                Limits(self._timeout, _TOTAL, _LARGEST),
                lambda part, _: parts.append(part),
            )
        except FailedError as error:
            raise self._problem(str(error)) from None
        finally:
            asyncio.run(self._pacing.leave(None, None))
        if reply.status == _UNKNOWN:
            return None
        if reply.status == _TOO_MANY:
            raise self._problem("it takes no more requests now (429)")
        if reply.status != _OK:
            raise self._problem(f"it answers {reply.status}")
        return b"".join(parts)

    def _problem(self, reason: str) -> UnanswerableError:
        return UnanswerableError(f"whois: {self._host}: {reason}")


def registration(answer: Any, asked_at: str) -> Registration:
    """Return what an answer of a registry says. Raises ``ValueError`` where it is none."""
    if not isinstance(answer, dict) or answer.get("objectClassName") not in ["ip network", "autnum"]:
        raise ValueError("neither a network nor an AS number")
    first, last = (
        text_of(str(answer.get(f"{end}{what}", "")))
        for what in (["Address"] if answer["objectClassName"] == "ip network" else ["Autnum"])
        for end in ("start", "end")
    )
    entities = list(_entities(answer))
    # Who is nearest to the top answers for it.
    abuse = next((mail for roles, card in entities if "abuse" in roles and (mail := _mail(card))), None)
    holder = next(
        (name for roles, card in entities if "registrant" in roles and (name := _value(card, "fn"))), None
    )
    return Registration(
        first if first == last else f"{first or '?'} - {last or '?'}",
        text_of(answer.get("name")),
        holder,
        text_of(answer.get("country")),
        abuse,
        text_of(answer.get("port43")),
        asked_at,
    )


def _entities(answer: dict[str, Any]) -> Iterator[tuple[list[Any], list[Any]]]:
    """The roles and the properties of the card of each entity, the outer ones first; only so many."""
    waiting = [answer]
    for _ in range(_MOST_ENTITIES):
        if not waiting:
            return
        entity = waiting.pop(0)
        inner = entity.get("entities")
        waiting += (
            [one for one in inner[:_MOST_ENTITIES] if isinstance(one, dict)]
            if isinstance(inner, list)
            else []
        )
        roles, card = entity.get("roles"), entity.get("vcardArray")
        is_card = isinstance(card, list) and len(card) == 2 and isinstance(card[1], list)
        yield roles if isinstance(roles, list) else [], card[1] if isinstance(card, list) and is_card else []


def _value(card: list[Any], name: str) -> str | None:
    """The first text with this name: a property is its name, parameters, type and value."""
    return next(_values(card, name), None)


def _values(card: list[Any], name: str) -> Iterator[str]:
    for entry in card[:_MOST_ENTITIES]:
        if isinstance(entry, list) and len(entry) == 4 and entry[0] == name and (value := text_of(entry[3])):
            yield value


def _mail(card: list[Any]) -> str | None:
    """The first mail address that can be one."""
    return next((mail for mail in _values(card, "email") if is_mail(mail)), None)
