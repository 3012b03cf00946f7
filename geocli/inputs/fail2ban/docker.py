"""Docker's own log of a container (``json-file``): an object with a line of fail2ban's log in each line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.inputs.fail2ban.log import LogReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from geocli.inputs.ban_reader import Reading, Tally
    from geocli.model.bans import Ban


def sniff_value(value: Any) -> bool:
    """Whether an object is a line of such a log."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("log"), str)
        and not {"stream", "time"}.isdisjoint(value)
    )


def read_value(reading: Reading, tally: Tally) -> Callable[[Any], list[Ban]]:
    """Return what takes such an object in: the bans of a log are known at the end."""
    reader = LogReader(reading, tally)

    def take(value: Any) -> list[Ban]:
        text = value["log"].encode("utf-8", "surrogateescape")
        moment = str(value.get("time", ""))[:64]
        # As "docker logs --timestamps" would print it.
        if not (moment and reader.take(f"{moment} ".encode("utf-8", "replace") + text)):
            reader.take(text)
        return []

    return take
