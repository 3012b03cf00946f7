"""Bans for tests: one to vary, and a strategy of few keys, so that the same ban is often seen twice."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from geocli.model.bans import SeenBan
from geocli.storage.journal.journal import Journal
from geocli.storage.journal.segments import encode_bans

BAN = SeenBan(
    host="web1",
    jail="sshd",
    ip="192.0.2.1",
    banned_at="2026-11-01T00:00:00Z",
    expires_at="2026-11-01T00:10:00Z",
    ban_count=1,
    timed=1,
    first_seen="2026-11-01T00:01:00Z",
    last_seen="2026-11-01T00:01:00Z",
)


def append_bans(journal: Journal, bans: Sequence[SeenBan]) -> None:
    """Make one segment of bans, as recording does."""
    journal.write(encode_bans(bans))


def second(number: int) -> str:
    """A moment as a record has it."""
    return f"2026-11-01T00:00:{number:02}Z"


MOMENTS = st.integers(0, 3).map(second)
BANS = st.builds(
    SeenBan,
    host=st.sampled_from(["web1", "web2"]),
    jail=st.sampled_from(["sshd", ""]),
    ip=st.sampled_from(["192.0.2.1", "alice"]),
    banned_at=st.sampled_from([second(0), second(1)]),
    expires_at=st.one_of(st.none(), MOMENTS),
    ban_count=st.one_of(st.none(), st.integers(0, 2)),
    timed=st.integers(0, 1),
    first_seen=MOMENTS,
    last_seen=MOMENTS,
)
