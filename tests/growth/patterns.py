"""Every regular expression of the package, and how it is used."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import geocli

_METHODS = ("match", "fullmatch", "search", "finditer", "findall", "sub", "split")


class Used(NamedTuple):
    """A pattern, called ``module.NAME`` or ``module`` and what it is, and its methods that are called."""

    name: str
    pattern: re.Pattern[str] | re.Pattern[bytes]
    methods: tuple[str, ...]


@cache
def every_pattern() -> list[Used]:
    """All patterns of all modules; of those that are made in functions, what the functions return."""
    called = _called_methods()
    found: dict[tuple[str | bytes, int], Used] = {}
    for info in pkgutil.walk_packages(geocli.__path__, "geocli."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            own = called.get((info.name, name)) or called.get(("", name)) or {"match", "search"}
            for pattern in _patterns_of(value, info.name):
                used = Used(f"{info.name}.{name}", pattern, tuple(sorted(own)))
                found.setdefault((pattern.pattern, pattern.flags), used)
    return list(found.values())


def _patterns_of(value: object, module: str) -> list[re.Pattern[str] | re.Pattern[bytes]]:
    """The patterns that a global is, holds, or, as a function without arguments, returns."""
    values = value.values() if isinstance(value, dict) else [value]
    returned = getattr(value, "__annotations__", {})
    is_own = getattr(value, "__module__", "") == module and [*returned] == ["return"]
    if is_own and callable(value) and str(returned["return"]).startswith("re.Pattern"):
        values = [value()]
    return [one for one in values if isinstance(one, re.Pattern)]


def _called_methods() -> dict[tuple[str, str], set[str]]:
    """Which methods are called, or handed on, of what has a name in a module; "" is any module."""
    called: dict[tuple[str, str], set[str]] = {}
    root = Path(geocli.__path__[0])
    for path in root.rglob("*.py"):
        module = ".".join(["geocli", *path.relative_to(root).with_suffix("").parts])
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in _METHODS:
                owner = node.value
                while isinstance(owner, (ast.Subscript, ast.Call)):
                    owner = owner.value if isinstance(owner, ast.Subscript) else owner.func
                name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", None)
                for place in (module, ""):
                    called.setdefault((place, str(name)), set()).add(node.attr)
    return called


def run(used: Used, method: str, text: str) -> None:
    """Have a pattern look at a text, to its end."""
    pattern = used.pattern
    data = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
    if method in {"sub", "split", "finditer", "findall"}:
        for _ in pattern.finditer(data):  # type: ignore[arg-type]  # bytes for bytes
            pass
    else:
        getattr(pattern, method)(data)
