"""IPinfo Lite (https://ipinfo.io/lite): country and AS in one file, daily, for a free token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.mmdb.downloads.publishers.base import Offer, Source
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from geocli.config.settings import Settings

_URL = "https://ipinfo.io/data"
_SETTING = "GEOCLI_IPINFO_TOKEN, or token in [ipinfo]"
_LICENCE = """\
IP address data powered by IPinfo, https://ipinfo.io

IPinfo Lite is licensed under the Creative Commons Attribution-ShareAlike 4.0 International licence
(CC BY-SA 4.0), https://creativecommons.org/licenses/by-sa/4.0/. Where results from it are shown, a link to
ipinfo.io is asked for.
"""

NAMES = ("ipinfo-lite",)
USUAL = NAMES


def offer(name: str, settings: Settings, _today: date, _ask: Callable[[Source], bytes]) -> Offer:
    """Today's file. Raises ``UsageError`` without a token."""
    chosen = settings.source("ipinfo")
    if chosen.key is None:
        raise UsageError(f"{name} needs a token, which is free: set {_SETTING}")
    base = (chosen.data_url or _URL).rstrip("/")
    source = Source(f"{base}/ipinfo_lite.mmdb", {"token": str(chosen.key)}, None, _SETTING)
    return Offer((source,), ("country", "asn"), _LICENCE)
