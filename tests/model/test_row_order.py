"""The order of rows that --sort names."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from geocli.model.row_order import parse_order

_COLUMNS = ("ip", "country_code", "bans")
_ROWS = st.lists(
    st.tuples(
        st.one_of(st.ip_addresses().map(str), st.just("root"), st.none()),
        st.sampled_from(["DE", "US", None]),
        st.integers(0, 5),
    )
)


@given(_ROWS)
def test_all_rows_are_there_in_order_and_what_is_not_known_comes_last(
    rows: list[tuple[str | None, str | None, int]],
) -> None:
    found = parse_order(" country_code,-bans", _COLUMNS).sorted(rows)
    assert sorted(map(str, found)) == sorted(map(str, rows))
    keys = [(row[1] is None, row[1] or "", -row[2]) for row in found]
    assert keys == sorted(keys)
    codes = [row[1] for row in parse_order("-country_code", _COLUMNS).sorted(rows)]
    known = sorted(filter(None, codes), reverse=True)
    assert codes == known + [None] * (len(codes) - len(known))


@given(st.lists(st.ip_addresses(v=4)))
def test_addresses_go_by_their_number(addresses: list[ipaddress.IPv4Address]) -> None:
    rows = [(str(address), None, 1) for address in addresses]
    assert [row[0] for row in parse_order("ip", _COLUMNS).sorted(rows)] == [*map(str, sorted(addresses))]


_NAMES = st.sampled_from([f"{sign}{name}" for sign in ("", "-") for name in (*_COLUMNS, "weekday", "growth")])
_TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cc", "Cs"]), max_size=3)
_MORE_ROWS = st.lists(
    st.tuples(
        st.one_of(st.ip_addresses().map(str), st.sampled_from(["root", "ro", "45.8.0.0/16"]), st.none()),
        st.none() | _TEXTS,
        st.integers(-(1 << 128), 1 << 128),
        st.sampled_from(["Monday", "Sunday", None]),
        st.none() | st.floats(allow_nan=False),
    )
)


@given(st.lists(_NAMES, min_size=1, max_size=3), _MORE_ROWS)
def test_keys_sort_rows_as_they_are_sorted_in_memory(
    names: list[str], rows: list[tuple[object, ...]]
) -> None:
    order = parse_order(",".join(names), (*_COLUMNS, "weekday", "growth"))
    assert sorted(rows, key=order.key) == order.sorted(rows)
