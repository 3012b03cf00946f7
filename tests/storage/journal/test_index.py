"""The index of addresses: what was added is found with its last number, whatever else there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.storage.journal import index
from geocli.storage.journal.index import AddressIndex

ADDRESSES = st.lists(st.ip_addresses().map(str), max_size=50)


def test_an_empty_index_finds_nothing() -> None:
    assert AddressIndex().find(["192.0.2.1"]) == {}


@given(st.lists(ADDRESSES, max_size=20))
def test_the_last_number_of_each_address_is_found(batches: list[list[str]]) -> None:
    made, expected = AddressIndex(), dict[str, int]()
    for number, batch in enumerate(batches):
        made.add(batch, number)
        expected |= dict.fromkeys(batch, number)
    assert made.find(expected) == expected


def test_growing_loses_nothing() -> None:
    made = AddressIndex()
    expected = {f"{n >> 16}.{n >> 8 & 255}.{n & 255}.7": n // 1000 for n in range(20_000)}
    for number in range(20):
        made.add([address for address, place in expected.items() if place == number], number)
    assert made.find(expected) == expected


def test_what_was_not_added_is_not_found() -> None:
    made = AddressIndex()
    made.add([f"10.{n >> 8}.{n & 255}.1" for n in range(10_000)], 1)
    assert made.find(f"11.{n >> 8}.{n & 255}.1" for n in range(10_000)) == {}


@pytest.mark.parametrize("width", [32, 64])
def test_addresses_that_want_the_same_slot_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    of_width = hash if width == 64 else index._print_of_halves
    monkeypatch.setattr(index, "_print", lambda address: of_width(address) & ~0x3FF)
    made, others = AddressIndex(), [f"2001:db8::{n:x}" for n in range(300)]
    expected = {f"192.0.2.{n}": n // 100 for n in range(300)}
    for number in range(3):
        made.add([address for address, place in expected.items() if place == number], number)
    assert made.find([*others, *expected]) == expected
