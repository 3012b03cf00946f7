"""A profile as the JSON document that programs read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.output.formats.json import to_json
from geocli.output.profile.page import BANS, WORST, ban_row, worst_row

if TYPE_CHECKING:
    from geocli.bans.profile import Crowd, Past, Profile
    from geocli.inputs.log_lines import Lines
    from geocli.providers.registrations import Registration


def document(profile: Profile, registration: Registration | None, lines: Lines | None) -> str:
    """Return all of it as one line of JSON.

    What was not asked is ``null``: ``server`` where no fail2ban answered, ``whois`` and ``log`` where they
    were not wanted. Lists are bounded as on the screen; the numbers beside them count everything.
    """
    shown: dict[str, Any] = {
        "what": str(profile.subject),
        "kind": profile.subject.kind.value,
        "name": profile.name,
        "answer": profile.record and profile.record._asdict(),
        "tags": profile.tags or None,
        "history": _history(profile),
        "neighbours": {what: _crowd_values(crowd) for what, crowd in profile.neighbours.items()},
        "server": None
        if profile.covering is None and (profile.crowd is None or profile.crowd.banned_now is None)
        else {
            "covering": [
                dict(zip(BANS[1:], ban_row(ban, None)[1:], strict=True)) for ban in profile.covering or ()
            ],
            "banned_now": profile.crowd and profile.crowd.banned_now,
            "now": list(profile.crowd.now) if profile.crowd is not None else [],
        },
        "whois": registration and registration._asdict(),
        "log": lines and {"lines": lines.total, "last": list(lines.shown)},
    }
    return f"{to_json(shown)}\n"


def _history(profile: Profile) -> dict[str, Any]:
    past: Past = profile.past
    values: dict[str, Any] = {
        "bans": past.bans,
        "first_banned_at": past.first,
        "last_banned_at": past.last,
        "jails": dict(sorted(past.jails.items(), key=lambda item: (-item[1], item[0]))),
    }
    if profile.crowd is None:
        rows = [ban_row(located.ban, located.seen and located.seen.host) for located in profile.latest]
        return values | {"latest": [dict(zip(BANS, row, strict=True)) for row in rows]}
    worst = [worst_row(ip, bans, profile.records[ip]) for ip, bans in profile.crowd.worst]
    return values | {
        "addresses": profile.crowd.addresses,
        "worst": [dict(zip(WORST, row, strict=True)) for row in worst],
    }


def _crowd_values(crowd: Crowd) -> dict[str, Any]:
    return {
        "addresses": crowd.addresses,
        "bans": crowd.bans,
        "banned_now": crowd.banned_now,
        "now": list(crowd.now),
        "worst": [{"ip": ip, "bans": bans} for ip, bans in crowd.worst],
    }
