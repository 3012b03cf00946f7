"""A mail to who answers for an address: what was seen of it, ready to be read over and sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.output.formats.base import cell
from geocli.output.profile.page import period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.bans.profile import Profile
    from geocli.inputs.log_lines import Lines
    from geocli.model.bans import LocatedBan
    from geocli.providers.registrations import Registration


def mail(profile: Profile, registration: Registration, lines: Lines | None) -> str | None:
    """Return the text with its To and Subject; ``None`` where nothing was seen that could be told."""
    told = lines is not None and lines.total > 0
    if not (profile.past.bans or profile.covering or told):
        return None
    what = str(profile.subject)
    holder = registration.holder or registration.name or "you"
    parts = [
        f"To: {registration.abuse or '(no address for complaints is registered)'}",
        f"Subject: Abuse from {what}",
        "",
        "Hello,",
        "",
        f"a machine of ours was attacked from {what}, which is registered to {holder}.",
        "Please look into it, and stop what is going on there.",
    ]
    if profile.past.bans:
        parts += ["", *_bans(profile)]
    if lines is not None and told:
        count = f"the last {len(lines.shown)} of {lines.total:,}" if lines.total > len(lines.shown) else "all"
        parts += ["", f"Lines of our logs ({count}; in the time of the machine, control characters escaped):"]
        parts += ["", *(f"  {line}" for line in lines.shown)]
    return "\n".join([*parts, "", "Regards", ""])


def _bans(profile: Profile) -> list[str]:
    past = profile.past
    times = f"{past.bans:,} time{'s' * (past.bans != 1)}"
    said = [f"It was banned {times} ({period(past)}, all times UTC)" + (":" if profile.latest else ".")]
    if not profile.latest:
        return said
    rest = past.bans - len(profile.latest)
    return [
        *said,
        "",
        *_rows(profile.latest),
        *([f"  and {rest:,} before"] if rest else []),
    ]


def _rows(bans: Sequence[LocatedBan]) -> list[str]:
    return [f"  {located.began}  {cell(located.ban.jail)}".rstrip() for located in bans]
