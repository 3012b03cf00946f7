"""What vendors put into a record of an MMDB file, as one ``Answer``.

* MaxMind, DB-IP, IP2Location: ``country.iso_code``, ``country.names.en``, ``subdivisions``, ``city``,
  ``location``; in AS and ISP files ``autonomous_system_*``, ``isp``, ``organization``; all of it in
  ``traits`` too.
* IPinfo Lite: ``country_code``, ``country`` is the *name*, ``asn`` is "AS13335", ``as_name``.
* IPinfo's older files: ``country`` is the *code*, ``country_name``, ``region``, ``city``, ``lat`` and ``lng``
  as text; in AS files ``asn`` and ``name``.
* ip-location-db: ``country_code``, ``state1``, ``city``, ``latitude``, ``autonomous_system_*``.

Vendors leave a key out, leave it empty, or write ``-`` or ``ZZ`` for what they do not know. Nothing in a
record is trusted to have the type it should have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.countries import country_code, country_name
from geocli.records import MAX_ASN, clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable


class Answer(NamedTuple):
    """What a database says about an address: the middle of a ``GeoRecord``, in its order."""

    country_code: str | None = None
    country_name: str | None = None
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    asn: int | None = None
    org: str | None = None


_PLACE = frozenset(
    {"subdivisions", "region", "region_name", "state1", "city", "city_name", "location", "latitude", "lat"}
)

NOTHING = Answer()
"""No value at all."""


def answer_of(data: dict[str, Any]) -> Answer:
    """A raw record of any vendor's as an ``Answer``; what cannot be used is left out."""
    code, name = _country(data)
    asn, org = _system(data)
    if _PLACE.isdisjoint(data):
        return Answer(code, name, asn=asn, org=org)
    latitude, longitude = _coordinates(data)
    place = data.get("subdivisions")
    region = place[0] if isinstance(place, list) and place else data.get("region") or data.get("state1")
    return Answer(
        code,
        name,
        _text(_english(region)) or _text(data.get("region_name")),
        _text(_english(data.get("city"))) or _text(data.get("city_name")),
        latitude,
        longitude,
        asn,
        org,
    )


def merge(answers: Iterable[Answer]) -> Answer:
    """Several databases' answers about one address as one, the first that knows something leading.

    The place comes from the first that names a country, the holder from the first that names an AS. A
    later one may add a city or coordinates, but only where it agrees on the country.
    """
    place, holder = NOTHING, NOTHING
    for answer in answers:
        if place.country_code is None:
            place = answer if answer.country_code else place
        elif answer.country_code == place.country_code:
            place = _filled(place, answer)
        if holder.asn is None and (answer.asn or holder.org is None):
            holder = answer if answer.asn or answer.org else holder
    return Answer(*place[:6], holder.asn, holder.org)


def agreement(first: Answer, second: Answer) -> Answer:
    """What two answers have in common: of a place nothing that hangs on something they differ in."""
    same = Answer._make(a if a == b else None for a, b in zip(first, second, strict=True))
    if first.country_code != second.country_code:
        same = Answer(asn=same.asn, org=same.org)
    elif first[4:6] != second[4:6]:
        same = same._replace(latitude=None, longitude=None)
    return NOTHING if same == NOTHING else same


def _filled(first: Answer, second: Answer) -> Answer:
    return Answer._make(b if a is None else a for a, b in zip(first, second, strict=True))


def _country(data: dict[str, Any]) -> tuple[str | None, str | None]:
    country = data.get("country")
    if isinstance(country, dict):
        code, name = country.get("iso_code"), _english(country)
    else:
        code, name = data.get("country_code"), data.get("country_name")
        if not code:
            code = country
        elif name is None:
            name = country
    code = country_code(code) if isinstance(code, str) else None
    if code is None:
        return None, None
    return code, _text(name) or country_name(code)


def _coordinates(data: dict[str, Any]) -> tuple[float | None, float | None]:
    place = data.get("location")
    if not isinstance(place, dict):
        place = data
    latitude = _degrees(place.get("latitude", place.get("lat")), 90)
    longitude = _degrees(place.get("longitude", place.get("lng", place.get("lon"))), 180)
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None  # half a place is none, and 0, 0 is what databases write for "nowhere"
    return latitude, longitude


def _degrees(value: object, limit: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        degrees = float(value)
    except (ValueError, OverflowError):
        return None
    return degrees if -limit <= degrees <= limit else None  # false for NaN as well


def _system(data: dict[str, Any]) -> tuple[int | None, str | None]:
    asn, org = _asn(data.get("autonomous_system_number")), _text(data.get("autonomous_system_organization"))
    traits = data.get("traits")
    if isinstance(traits, dict):
        inner_asn, inner_org = _system({key: traits[key] for key in traits if key != "traits"})
        asn, org = asn or inner_asn, org or inner_org
    if asn is None:
        asn = _asn(data.get("asn"))
    for key in ("as_name", "organization", "isp", "org"):
        org = org or _text(data.get(key))
    if org is None and "asn" in data:
        org = _text(data.get("name"))
    return asn, org


def _asn(value: object) -> int | None:
    if isinstance(value, str):
        digits = value.upper().removeprefix("AS")
        value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= MAX_ASN else None


def _english(value: object) -> object:
    """The English name in a vendor's map of names, or the value itself where it is text."""
    if isinstance(value, dict):
        names = value.get("names")
        return names.get("en") if isinstance(names, dict) else value.get("name")
    return value


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    text = clean_text(value).strip()
    return None if text in {"", "-"} else text
