"""What vendors put into a record of an MMDB file, as one ``Answer``.

* MaxMind, DB-IP, IP2Location: ``country.iso_code``, else ``registered_country.iso_code``; ``subdivisions``,
  ``city``, ``location``; in AS and ISP files ``autonomous_system_*``, ``isp``, ``organization``; all of it in
  ``traits`` too.
* IPinfo Lite: ``country_code``, ``country`` is the *name*, ``asn`` is "AS13335", ``as_name``.
* IPinfo's older files: ``country`` is the *code*, ``region``, ``city``, ``lat`` and ``lng``
  as text; in AS files ``asn`` and ``name``.
* ip-location-db: ``country_code``, ``state1``, ``city``, ``latitude``, ``autonomous_system_*``.

Vendors leave a key out, leave it empty, or write ``-`` or ``ZZ`` for what they do not know. Nothing in a
record is trusted to have the type it should have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.model.normalize import asn, country, place, text
from geocli.model.records import NOTHING, Answer

if TYPE_CHECKING:
    from collections.abc import Sequence


_PLACE = frozenset(
    {"subdivisions", "region", "region_name", "state1", "city", "city_name", "location", "latitude", "lat"}
)


def answer_of(data: dict[str, Any]) -> Answer:
    """A raw record of any vendor's as an ``Answer``; what cannot be used is left out."""
    code, name = _country(data)
    number, org = _system(data)
    if _PLACE.isdisjoint(data):
        return Answer(code, name, asn=number, org=org)
    latitude, longitude = _coordinates(data)
    parts = data.get("subdivisions")
    region = parts[0] if isinstance(parts, list) and parts else data.get("region") or data.get("state1")
    return Answer(
        code,
        name,
        text(_english(region)) or text(data.get("region_name")),
        text(_english(data.get("city"))) or text(data.get("city_name")),
        latitude,
        longitude,
        number,
        org,
    )


_TYPES: dict[str, tuple[type, ...]] = {
    "country": (dict, str), "country_code": (str,), "country_name": (str,), "iso_code": (str,),
    "registered_country": (dict,),
    "city": (dict, str), "subdivisions": (list,), "location": (dict, str), "traits": (dict,),
    "latitude": (float, int, str), "longitude": (float, int, str),
    "lat": (float, int, str), "lng": (float, int, str), "lon": (float, int, str),
    "asn": (int, str, dict), "as_name": (str,), "names": (dict,),
    "autonomous_system_number": (int, str), "autonomous_system_organization": (str,),
}  # fmt: skip
"""What vendors put under the keys that are read here. ``answer_of`` passes over anything else."""


FIELDS = _PLACE | _TYPES.keys() | {"organization", "isp", "org", "lng", "lon", "longitude", "iso_code"}
"""The keys of a record under which something is that geocli shows."""


def mistyped(data: dict[str, Any]) -> str | None:
    """The first key whose value is of a type that no vendor gives it: a sign of damage."""
    for key in _TYPES.keys() & data.keys():
        if not isinstance(data[key], _TYPES[key]) or isinstance(data[key], bool):
            return key
    for key in ("country", "registered_country", "city", "location", "traits"):
        if isinstance(inner := data.get(key), dict) and (wrong := mistyped(inner)) is not None:
            return f"{key}.{wrong}"
    return None


def merge(answers: Sequence[Answer], system_from: int = 0) -> Answer:
    """Several databases' answers about one address as one, the first that knows something leading.

    The place comes from the first that names a country, the holder from the first that names an AS; of these,
    ``answers[system_from]`` counts as the first. A later one may add a city or coordinates, but only where it
    agrees on the country.
    """
    located = NOTHING
    holder = next((answer for answer in answers[system_from:][:1] if answer.asn), NOTHING)
    for answer in answers:
        if located.country_code is None:
            located = answer if answer.country_code else located
        elif answer.country_code == located.country_code:
            located = _filled(located, answer)
        if holder.asn is None and (answer.asn or holder.org is None):
            holder = answer if answer.asn or answer.org else holder
    return located._replace(asn=holder.asn, org=holder.org)


def agreement(first: Answer, second: Answer) -> Answer:
    """What two answers have in common: of a place nothing that hangs on something they differ in."""
    same = Answer._make(a if a == b else None for a, b in zip(first, second, strict=True))
    if first.country_code != second.country_code:
        same = Answer(asn=same.asn, org=same.org)
    elif (first.latitude, first.longitude) != (second.latitude, second.longitude):
        same = same._replace(latitude=None, longitude=None)
    return NOTHING if same == NOTHING else same


def _filled(first: Answer, second: Answer) -> Answer:
    return Answer._make(b if a is None else a for a, b in zip(first, second, strict=True))


def _country(data: dict[str, Any]) -> tuple[str | None, str | None]:
    # MaxMind has no country for networks that are in no one place, but where they are registered.
    inner = data.get("country", data.get("registered_country"))
    return country(inner.get("iso_code") if isinstance(inner, dict) else data.get("country_code") or inner)


def _coordinates(data: dict[str, Any]) -> tuple[float | None, float | None]:
    inner = data.get("location")
    if not isinstance(inner, dict):
        inner = data
    return place(
        inner.get("latitude", inner.get("lat")), inner.get("longitude", inner.get("lng", inner.get("lon")))
    )


def _system(data: dict[str, Any]) -> tuple[int | None, str | None]:
    number, org = asn(data.get("autonomous_system_number")), text(data.get("autonomous_system_organization"))
    if number is not None and org is not None:
        return number, org  # as most often
    traits = data.get("traits")
    if isinstance(traits, dict):
        inner_number, inner_org = _system({key: traits[key] for key in traits if key != "traits"})
        number, org = number or inner_number, org or inner_org
    if number is None:
        number = asn(data.get("asn"))
    for key in ("as_name", "organization", "isp", "org"):
        org = org or text(data.get(key))
    if org is None and "asn" in data:
        org = text(data.get("name"))
    return number, org


def _english(value: object) -> object:
    """The English name in a vendor's map of names, or the value itself where it is text."""
    if isinstance(value, dict):
        names = value.get("names")
        return names.get("en") if isinstance(names, dict) else value.get("name")
    return value
