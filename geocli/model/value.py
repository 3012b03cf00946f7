"""Values of named fields that are made once and read often: settings, choices, what was found.

Python's own ways to say that cost each short command: to make the class, a dataclass takes 0.5 ms and a
``NamedTuple`` 0.1 ms, and there are thirty. This takes a tenth of that. What is a row, or is taken apart, is
a ``NamedTuple`` all the same.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(frozen_default=True)
class Value:
    """A value whose fields are the annotations of its class, with their defaults. It is never changed.

    Two of one class are equal when their fields are.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _field_defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)
        cls._field_defaults = {name: cls.__dict__[name] for name in cls._fields if name in cls.__dict__}

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self._fields
        given = dict(zip(fields, values, strict=False))
        values_of = {**self._field_defaults, **given, **named}
        if len(given) < len(values) or given.keys() & named.keys() or values_of.keys() != {*fields}:
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(fields)}")
        self.__dict__.update(values_of)

    def __setattr__(self, name: str, _: object) -> None:
        raise AttributeError(f"{type(self).__name__} is not changed: {name}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        fields = zip(self._fields, self._values(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields)})"

    def replace(self, **changes: Any) -> Self:
        """Return the same value with other fields."""
        return type(self)(**self.__dict__ | changes)

    def _values(self) -> tuple[Any, ...]:
        return tuple(map(self.__dict__.__getitem__, self._fields))
