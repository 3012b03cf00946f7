"""What the emulators say about an address when a test has not said it: plausible, and always the same.

Country, AS number and organisation follow from the address alone, and nearly every address has an AS
number of its own: an answer that is given to the wrong address is found out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from zlib import crc32

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Country:
    code: str
    name: str
    continent_code: str
    continent: str
    city: str
    latitude: float
    longitude: float


COUNTRIES = (
    Country("AU", "Australia", "OC", "Oceania", "Perth", -31.95, 115.86),
    Country("BR", "Brazil", "SA", "South America", "São Paulo", -23.55, -46.63),
    Country("CH", "Switzerland", "EU", "Europe", "Zürich", 47.37, 8.55),
    Country("CI", "Côte d'Ivoire", "AF", "Africa", "Abidjan", 5.34, -4.03),
    Country("CN", "China", "AS", "Asia", "Shenzhen", 22.54, 114.06),
    Country("DE", "Germany", "EU", "Europe", "Nürnberg", 49.45, 11.08),
    Country("IN", "India", "AS", "Asia", "Mumbai", 19.08, 72.88),
    Country("KR", "South Korea", "AS", "Asia", "Seoul", 37.57, 126.98),
    Country("NL", "The Netherlands", "EU", "Europe", "Amsterdam", 52.37, 4.9),
    Country("TR", "Türkiye", "AS", "Asia", "İzmir", 38.42, 27.14),
    Country("US", "United States", "NA", "North America", "Ashburn", 39.04, -77.49),
    Country("ZA", "South Africa", "AF", "Africa", "Cape Town", -33.92, 18.42),
)


@dataclass(frozen=True)
class Whereabouts:
    country: Country
    as_number: int
    organisation: str

    @property
    def as_name(self) -> str:
        """The short name that registries have: capitals, no blanks."""
        return f"{self.country.code}-TELECOM-{self.as_number}"


def whereabouts(address: Address) -> Whereabouts:
    """What is said about a public address."""
    number = crc32(address.packed)
    country = COUNTRIES[number % len(COUNTRIES)]
    as_number = 131_072 + number % 270_000  # of four bytes: above all that are reserved or private
    return Whereabouts(country, as_number, f"{country.name} Telecom {as_number}")


@lru_cache(maxsize=4096)
def parse(text: str) -> Address | None:
    """The address that a text is; None if it is not one."""
    try:
        return ip_address(text)
    except ValueError:
        return None


class _Ranges:
    """Networks as ranges of numbers: ``ipaddress`` itself takes 20 times as long to tell what is in them."""

    def __init__(self, *networks: str) -> None:
        self._ranges: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for network in map(ip_network, networks):
            self._ranges[network.version].append((int(network[0]), int(network[-1])))

    def __contains__(self, address: Address) -> bool:
        number = int(address)
        return any(first <= number <= last for first, last in self._ranges[address.version])


_PRIVATE = _Ranges("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
_RESERVED = _Ranges(
    *("0.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24"),
    *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
    *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
)
_IPV6_IN_USE = _Ranges("2000::/3")


def is_private(address: Address) -> bool:
    """RFC 1918 and its IPv6 counterpart."""
    return address in _PRIVATE


def is_bogon(address: Address) -> bool:
    """Private, reserved, or multicast: nobody on the Internet has it."""
    outside = address.version == 6 and address not in _IPV6_IN_USE
    return outside or address in _PRIVATE or address in _RESERVED
