"""A ban: somebody who is, or was, banned by a jail of fail2ban's, as any of its outputs tells it."""

from __future__ import annotations

from typing import NamedTuple

from geocli.addresses import parse_target
from geocli.in_text import find_targets


class Ban(NamedTuple):
    """One ban. What the input does not tell is ``None``.

    ``text`` is the identifier as fail2ban has it, which may be anything: a host name, a user, two words.
    Times are a record's (UTC); ``expires_at`` is ``None`` for a permanent ban too. ``jail`` and ``text`` have
    been through ``clean_text``.
    """

    jail: str | None
    text: str
    banned_at: str | None = None
    expires_at: str | None = None
    ban_count: int | None = None

    def targets(self) -> list[str]:
        """The canonical addresses and networks that the identifier is or has in it; often none or one."""
        try:
            return [parse_target(self.text)]
        except ValueError:
            return list(dict.fromkeys(find_targets(self.text.encode("utf-8", "replace"))))
