"""Lines for nginx: a file to ``include`` in ``http``, ``server`` or ``location``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.output.rules.base import NAME, RuleFormat, RuleSet, comment

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = f"/etc/nginx/{NAME}.conf"


def _render(rules: RuleSet) -> Iterator[str]:
    for rule in rules.rules:
        yield f"deny {rule.network};{'  # ' + comment(rule.note) if rule.note else ''}"


FORMAT = RuleFormat(
    _render,
    load=f"install -m 644 FILE {_FILE} && nginx -t && nginx -s reload",
    hook=f"include {_FILE};",
    remove=f"truncate -s 0 {_FILE} && nginx -s reload",
    keeps_time=False,
)
