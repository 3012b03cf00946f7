"""What somebody wants to know everything about: an address, a network, an AS or a country."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from geocli.model.errors import UsageError
from geocli.model.records import MAX_ASN, clean_text

_NO_ADDRESS = re.compile(r"[^.:/]*|[^0-9:/]*")
_ASN = re.compile(r"(?:as)?([0-9]{1,40})", re.ASCII | re.IGNORECASE)


class Kind(StrEnum):
    """What a subject is."""

    ADDRESS = "address"
    NETWORK = "network"
    ASN = "asn"
    COUNTRY = "country"


class Subject(NamedTuple):
    """One of them: ``name`` is the canonical address or network, the number of the AS, the country's code."""

    kind: Kind
    name: str

    @property
    def is_target(self) -> bool:
        """Whether it can be looked up."""
        return self.kind in {Kind.ADDRESS, Kind.NETWORK}

    def __str__(self) -> str:
        return f"AS{self.name}" if self.kind is Kind.ASN else self.name


def parse_subjects(text: str) -> list[Subject]:
    """Return what a text means: one subject, or the networks that a range of addresses is made of.

    ``AS14061`` and ``14061`` are an AS, ``de`` and ``Germany`` a country; addresses are read as by a look-up.
    Raises ``UsageError`` for anything else.
    """
    stripped = text.strip()
    if (match := _ASN.fullmatch(stripped)) is not None:
        if not 0 < int(match[1]) <= MAX_ASN:
            raise UsageError(f"{clean_text(stripped)} is no AS number: they end at {MAX_ASN}")
        return [Subject(Kind.ASN, str(int(match[1])))]
    if _NO_ADDRESS.fullmatch(stripped):
        return [Subject(Kind.COUNTRY, _country(stripped))]
    from geocli.inputs.arguments import read_argument

    return [
        Subject(Kind.NETWORK if "/" in target else Kind.ADDRESS, target)
        for target in dict.fromkeys(read_argument(stripped))
    ]


def _country(text: str) -> str:
    """The code of a country. Raises ``UsageError``, also for two letters that are no code (UK)."""
    from geocli.model.countries import country_code, parse_country  # and with it the list of countries

    try:
        code = parse_country(text)
    except ValueError as error:
        _, _, hint = str(error).partition(": did you mean ")
        raise UsageError(
            f"{ascii(text[:80])} is no address, network, AS number or country"
            + (f": did you mean {hint}" if hint else "")
        ) from None
    if len(text) == 2 and country_code(text) is None:
        raise UsageError(f"{ascii(text)} is no country code: write {code}")
    return code
