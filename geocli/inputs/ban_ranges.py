"""What firewalls write for who is banned: an address, a network with a prefix or a mask, a range."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address, summarize_address_range

from geocli.model.addresses import canonical_address, canonical_network, parse_target

_MOST_NETWORKS = 64  # of a range; of a larger one, its two ends are told
_EVERYBODY = frozenset({"0.0.0.0/0", "::/0"})  # who a rule is about that names nobody


def banned_targets(text: str) -> list[str]:
    """Return the canonical addresses and networks that a word of a firewall's stands for; often one, or none.

    Example: ``80.94.95.113-80.94.95.116`` is 80.94.95.113, 80.94.95.114/31 and 80.94.95.116.
    """
    first, dash, last = text.strip().partition("-")
    try:
        if dash:
            return _range(first, last)
        address, _, mask = first.partition("/")
        if "." in mask:
            return [str(IPv4Network((address, mask), strict=False))]
        target = parse_target(first)
    except ValueError:
        return []
    return [] if target in _EVERYBODY else [target]


def _range(first: str, last: str) -> list[str]:
    begin, end = ip_address(first), ip_address(last)
    if begin.version != end.version or int(begin) > int(end):
        return []
    networks: list[str] = []
    for network in summarize_address_range(begin, end):
        if len(networks) == _MOST_NETWORKS:
            return [canonical_address(begin), canonical_address(end)]
        networks.append(canonical_network(network.network_address, network.prefixlen))
    return networks


def prefix_network(text: str) -> str | None:
    """Return the network of the addresses that begin like this: ``45.148.10.`` is 45.148.10.0/24."""
    parts = text.removesuffix(".").split(".")
    if not 1 <= len(parts) <= 3:
        return None
    try:
        address = IPv4Address(".".join([*parts, *["0"] * (4 - len(parts))]))
    except ValueError:
        return None
    return canonical_network(address, 8 * len(parts))
