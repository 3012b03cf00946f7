"""This machine's own addresses, gateways and resolvers are found where Linux tells them."""

from __future__ import annotations

import sys
from pathlib import Path

from geocli.inputs.allow.machine import machine

FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 203.0.113.0/24 2 0 2
        |-- 203.0.113.0
           /24 link UNICAST
        |-- 203.0.113.7
           /32 host LOCAL
        |-- 203.0.113.255
           /32 link BROADCAST
"""
IF_INET6 = "2a02478000770000000000000000000a 02 40 00 80     eth0\nbroken\n"
ROUTE = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask
eth0\t00000000\t{gateway}\t0003\t0\t0\t0\t00000000
eth0\t007100CB\t00000000\t0001\t0\t0\t0\t00FFFFFF
"""
IPV6_ROUTE = (
    "0" * 32 + " 00 " + "0" * 32 + " 00 fe800000000000000000000000000001 00000400 0 0 00000003 eth0\n"
    "2a024780007700000000000000000000 40 " + "0" * 32 + " 00 " + "0" * 32 + " 00000100 0 0 00000001 eth0\n"
)


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")


def test_what_this_machine_lives_by_is_found(tmp_path: Path) -> None:
    gateway = int.from_bytes(bytes([203, 0, 113, 1]), sys.byteorder)
    write(tmp_path, "proc/net/fib_trie", FIB_TRIE)
    write(tmp_path, "proc/net/if_inet6", IF_INET6)
    write(tmp_path, "proc/net/route", ROUTE.format(gateway=f"{gateway:08X}"))
    write(tmp_path, "proc/net/ipv6_route", IPV6_ROUTE)
    write(
        tmp_path,
        "etc/resolv.conf",
        "# nameserver 1.2.3.4\nnameserver 9.9.9.9\n nameserver fe80::1%eth0\nsearch x\n",
    )
    write(tmp_path, "run/systemd/resolve/resolv.conf", "nameserver 2620:fe::fe\n")
    assert [tuple(item) for item in machine(tmp_path)] == [
        ("203.0.113.7", "an address of this machine"),
        ("2a02:4780:77::a", "an address of this machine"),
        ("203.0.113.1", "a gateway of this machine"),
        ("fe80::1", "a gateway of this machine"),
        ("9.9.9.9", "a resolver of this machine"),
        ("fe80::1", "a resolver of this machine"),
        ("2620:fe::fe", "a resolver of this machine"),
    ]


def test_a_machine_that_tells_nothing_has_nothing(tmp_path: Path) -> None:
    assert machine(tmp_path) == []
    write(tmp_path, "proc/net/route", "\0\xff binary\n" * 9)
    (tmp_path / "proc/net/fib_trie").mkdir()
    assert machine(tmp_path) == []


def test_the_real_machine_knows_its_loopback() -> None:
    assert "127.0.0.1" in {item.target for item in machine()}
