"""RDAP: what registries say is believed only where it can be."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from geocli.providers.rdap import registration
from tests.support.emulators.rdap import network

ASKED_AT = "2026-11-29T12:00:00Z"

_TEXTS = st.one_of(
    st.text(), st.sampled_from(["ip network", "abuse", "email", "fn", "a@example.net", "\x1b[2J"])
)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), _TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["objectClassName", "entities", "roles", "vcardArray", "name", "startAddress", "port43"]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=30,
)


def test_the_contact_for_complaints_is_found_inside_of_the_holder() -> None:
    answer = network("8.8.8.0", "8.8.8.255", holder="Google LLC", abuse="abuse@example.net")
    assert registration(answer, ASKED_AT) == (
        *("8.8.8.0 - 8.8.8.255", "EXAMPLE-NET", "Google LLC", "US", "abuse@example.net"),
        *("whois.example.net", ASKED_AT),
    )


def test_a_system_and_a_network_of_one_address_are_told_without_a_range() -> None:
    system = {"objectClassName": "autnum", "startAutnum": 15169, "endAutnum": 15169, "name": "GOOGLE"}
    assert registration(system, ASKED_AT)[:4] == ("15169", "GOOGLE", None, None)
    one = {"objectClassName": "ip network", "startAddress": "::1", "endAddress": "::1", "entities": [7]}
    assert registration(one, ASKED_AT).range == "::1"


@given(_JSON, _JSON, _TEXTS)
def test_no_answer_can_do_harm(answer: Any, entities: Any, mail: str) -> None:
    made = network("8.8.8.0", "8.8.8.255", holder=mail, abuse=mail) | {"name": mail, "country": answer}
    for one in (answer, made, {"objectClassName": "ip network", "entities": entities}):
        with suppress(ValueError):
            found = registration(json.loads(json.dumps(one)), ASKED_AT)
            texts = [text for text in found if text is not None]
            assert all(text.isprintable() and len(text) < 600 for text in texts)
            assert found.abuse is None or (found.abuse.count("@") == 1 and " " not in found.abuse)


def test_ten_thousand_entities_inside_of_each_other_take_no_time() -> None:
    answer: Any = {"roles": ["abuse"]}
    for _ in range(10_000):
        answer = {"objectClassName": "ip network", "entities": [answer] * 2}
    assert registration(answer, ASKED_AT).abuse is None
