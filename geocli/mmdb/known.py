"""What is known already: what a database said about one address holds for all in its network.

Asking a database costs some microseconds, most of it for making its record again. Attackers come from few
networks, so most questions about a long list have been answered before.
"""

from __future__ import annotations

from typing import Generic, TypeVar

_T = TypeVar("_T")

_MOST = 100_000  # keys: some 40 MB with what they lead to


def _parts(bits: int) -> dict[str, str]:
    """A third octet's text to the part of a /16 that it is in, as text that no address begins with."""
    return {str(octet): f"/{bits}/{octet >> 8 - bits}" for octet in range(256)}


_SIZES = ((18, _parts(2)), (20, _parts(4)), (22, _parts(6)))


class KnownNetworks(Generic[_T]):
    """Values for those networks of IPv4 of /16, /18, /20, /22 and /24 that are known to have one.

    Half of all addresses are in networks of the first size or wider, and hardly any in one that is smaller
    than the last: some look-ups in a dictionary beat a search.
    """

    def __init__(self) -> None:
        self._values: dict[str, _T] = {}

    def find(self, address: str) -> _T | None:
        """What is known about a canonical IPv4 address; nothing about an IPv6 address."""
        get = self._values.get
        three, _, _ = address.rpartition(".")
        two, _, third = three.rpartition(".")
        if not two:
            return None
        found = get(two)
        if found is None:
            for _, parts in _SIZES:
                found = get(two + parts[third])
                if found is not None:
                    return found
            found = get(three)
        return found

    def add(self, address: str, prefix: int, value: _T) -> None:
        """Remember that the network of ``prefix`` bits around an address, IPv4 or IPv6, has this value."""
        if len(self._values) >= _MOST:
            self._values.clear()
        three, _, _ = address.rpartition(".")
        two, _, third = three.rpartition(".")
        if two and prefix <= 24:
            key = two if prefix <= 16 else three
            for size, parts in _SIZES if prefix > 16 else ():
                if prefix <= size:
                    key = two + parts[third]
                    break
            self._values[key] = value
