"""Rows of the journal: what their columns say, in SQL."""

from __future__ import annotations

STORED = "iif(typeof(store_time) = 'real', store_time, 0)"
"""When a segment was stored: seconds since the epoch, which together with its key name it."""

BANS_TAG = "bans "
"""How the tag of a segment of bans begins; how many they are follows."""

HAS_BANS = f"(substr(tag, 1, {len(BANS_TAG)}) = ?)"
"""Whether a row is a segment of bans; its parameter is ``BANS_TAG``."""
