"""The table of rule formats: what ``--format`` takes beside the forms of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.output.rules import fail2ban, ipset, iptables, nft, nginx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geocli.output.rules.base import RuleFormat

RULE_FORMATS: Mapping[str, RuleFormat] = {
    "nft": nft.FORMAT,
    "ipset": ipset.FORMAT,
    "iptables": iptables.FORMAT,
    "fail2ban": fail2ban.FORMAT,
    "nginx": nginx.FORMAT,
}
