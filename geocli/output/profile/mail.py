"""A mail to who answers for an address: what was seen of it, ready to be read over and sent."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from geocli.output.formats.base import cell
from geocli.output.profile.page import period

if TYPE_CHECKING:
    from geocli.bans.profile import Profile
    from geocli.inputs.log_lines import Lines
    from geocli.providers.registrations import Registration

_WIDTH = 76  # characters of a line


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
        *_filled(
            f"a machine of ours was attacked from {what}, which is registered to {holder}."
            " Please look into it, and stop what is going on there."
        ),
    ]
    if profile.past.bans:
        parts += ["", *_bans(profile)]
    if lines is not None and told:
        count = f"the last {len(lines.shown)} of {lines.total:,}" if lines.total > len(lines.shown) else "all"
        parts += ["", f"Lines of our logs ({count}; in the time of the machine, control characters escaped):"]
        parts += ["", *(f"  {line}" for line in lines.shown)]
    return "\n".join([*parts, "", "Regards", ""])


def _bans(profile: Profile) -> list[str]:
    past, crowd = profile.past, profile.crowd
    times = f"{past.bans:,} time{'s' * (past.bans != 1)} ({period(past)}, all times UTC)"
    if crowd is None:
        rows = [f"  {located.began}  {cell(located.ban.jail)}".rstrip() for located in profile.latest]
        rest = past.bans - len(rows)
        return [f"It was banned {times}:", "", *rows, *([f"  and {rest:,} before"] if rest else [])]
    rows = [f"  {cell(ip)}  {bans:,}" for ip, bans in crowd.worst]
    rest = crowd.addresses - len(rows)
    said = f"Of its addresses, {crowd.addresses:,} were banned, {times}; how often each:"
    return [*_filled(said), "", *rows, *([f"  and {rest:,} more"] if rest else [])]


def _filled(text: str) -> list[str]:
    return wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
