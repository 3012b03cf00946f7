"""Values of named fields: made, compared, shown, and never changed."""

from __future__ import annotations

import pytest

from geocli.model.value import Value


def doubled(number: int) -> int:
    return 2 * number


class Point(Value):
    x: int
    y: int = 0
    scale: object = doubled

    @property
    def far(self) -> bool:
        return self.x + self.y > 10


class Place(Value):
    x: int
    y: int = 0
    scale: object = doubled


def test_fields_are_given_by_place_or_by_name_and_have_defaults() -> None:
    assert Point(1) == Point(x=1) == Point(1, 0) == Point(1, y=0)
    assert (Point(7, 4).x, Point(7, 4).y, Point(7, 4).far) == (7, 4, True)
    assert Point(1).scale is doubled  # no method of it


@pytest.mark.parametrize(
    ("values", "named"), [((), {}), ((1, 2, 3, 4), {}), ((1,), {"x": 2}), ((1,), {"z": 2}), ((), {"y": 2})]
)
def test_what_is_missing_given_twice_or_no_field_is_an_error(
    values: tuple[int, ...], named: dict[str, int]
) -> None:
    with pytest.raises(TypeError, match="Point has the fields x, y, scale"):
        Point(*values, **named)


def test_values_are_equal_where_class_and_fields_are() -> None:
    assert Point(1, 2) != Point(1, 3)
    assert Point(1, 2) != Place(1, 2)
    assert Point(1, 2) != (1, 2, doubled)
    assert {Point(1, 2), Point(1, 2), Place(1, 2)} == {Point(1, 2), Place(1, 2)}
    assert repr(Place(1, scale=None)) == "Place(x=1, y=0, scale=None)"


def test_a_value_is_never_changed() -> None:
    point = Point(1, 2)
    with pytest.raises(AttributeError, match="x"):
        point.x = 3  # type: ignore[misc]  # what mypy forbids must fail as well
    assert point.replace(y=5) == Point(1, 5)
    assert point == Point(1, 2)
    with pytest.raises(TypeError):
        point.replace(z=1)
