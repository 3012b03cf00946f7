"""What a script of rules is made of, and what every script keeps.

* It is complete: loading it is one command, which its head names, and geocli never runs it.
* What it makes has a name of its own (``RuleSet.name``), is replaced as a whole when a script is loaded
  again, and is gone after one command, which its head names too. It touches nothing else.
* IPv4 and IPv6 are apart. Only new connections are dropped: what this machine asks for is answered.
* Text from outside stands in comments only, without control characters and line ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.model.records import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

NAME = "geocli-advice"
"""What everything is called that a script of advice makes."""

NAME_OF_TABLE = "geocli_advice"
"""The same where a hyphen has a meaning."""


class Rule(NamedTuple):
    """A network to ban, with its length (``192.0.2.1/32``), and what may be said of it."""

    network: str
    note: str = ""

    @property
    def is_ipv6(self) -> bool:
        """Whether it is IPv6 (else it is IPv4)."""
        return ":" in self.network


class RuleSet(NamedTuple):
    """What is to be banned.

    ``said`` are lines for people, the first of them what it is, ``seconds`` how long the bans last (``None``:
    until they are removed), ``expires_at`` the moment in UTC when they end (``2026-12-06T00:00:00``).
    ``name`` is what everything is called that the script makes, ``command`` what made the script. ``most`` is
    how many networks there can be: always the same for a name.
    """

    rules: Collection[Rule]
    said: Sequence[str]
    seconds: int | None = None
    expires_at: str | None = None
    name: str = NAME
    command: str = "geocli advise"
    most: int = 65536

    @property
    def table(self) -> str:
        """The name where a hyphen has a meaning."""
        return self.name.replace("-", "_")

    def called(self, command: str) -> str:
        """A format's command with this name in it: formats are written down with the name of advice."""
        return command.replace(NAME, self.name).replace(NAME_OF_TABLE, self.table)

    @property
    def v4(self) -> Iterator[Rule]:
        """Those of IPv4."""
        return (rule for rule in self.rules if not rule.is_ipv6)

    @property
    def v6(self) -> Iterator[Rule]:
        """Those of IPv6."""
        return (rule for rule in self.rules if rule.is_ipv6)


class RuleFormat(NamedTuple):
    """A program's way to write rules. ``load``, ``hook`` and ``remove`` are commands for people.

    ``hook`` is needed once, where the script cannot say by itself that its rules are to be looked at;
    ``keeps_time`` says whether bans end by themselves.
    """

    render: Callable[[RuleSet], Iterator[str]]
    load: str
    remove: str
    hook: str = ""
    keeps_time: bool = True
    shebang: str = ""


def script(rules: RuleSet, form: RuleFormat) -> str:
    """The whole script, with its head."""
    return "\n".join([*lines_of(rules, form), ""])


def lines_of(rules: RuleSet, form: RuleFormat) -> Iterator[str]:
    """Its lines, one after the other."""
    ends = f", until {rules.expires_at}Z" if rules.expires_at and form.keeps_time else ""
    head = [
        f"{rules.command}: {rules.said[0]}{ends}",
        *rules.said[1:],
        f"load:   {rules.called(form.load)}",
        *([f"once:   {rules.called(form.hook)}"] if form.hook else []),
        f"remove: {rules.called(form.remove)}",
    ]
    yield from [form.shebang] if form.shebang else []
    yield from (f"# {line}" for line in map(comment, head))
    yield from form.render(rules)


def comment(text: str) -> str:
    """Text from outside as part of a comment."""
    return clean_text(text, 500)
