"""The index of addresses: what was added is found with its last number, whatever else there is."""

from __future__ import annotations

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
    found = made.find(expected)
    assert found.keys() == expected.keys()
    # In one run of twenty, two of them have the same print, and share a place.
    assert sum(found[address] != place for address, place in expected.items()) <= 2


def test_of_addresses_that_were_not_added_hardly_any_is_found() -> None:
    made = AddressIndex()
    made.add([f"10.{n >> 8}.{n & 255}.1" for n in range(10_000)], 1)
    assert len(made.find(f"11.{n >> 8}.{n & 255}.1" for n in range(10_000))) <= 2


def test_addresses_with_the_same_print_share_a_place() -> None:
    made = AddressIndex()
    made.add(["192.0.2.1"], 3)
    mark = hash("192.0.2.1") & index._PRINT

    class Twin(str):
        def __hash__(self) -> int:
            return mark | 5 << 32

    assert list(made.find([Twin("198.51.100.1")]).values()) == [3]
