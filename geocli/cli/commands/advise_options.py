"""The options of ``geocli advise``, in the groups in which they travel, and what they mean."""

from pathlib import Path
from typing import Annotated

import typer

from geocli.bans.advice.advice import LARGEST, Terms
from geocli.bans.advice.prefix import BITS
from geocli.cli import options, rule_options
from geocli.cli.ban_options import BanInput
from geocli.cli.options import FormOptions
from geocli.config.parsers import parse_duration
from geocli.model.errors import UsageError
from geocli.model.value import Value

_MOST_RULES = 65536  # what a set of ipset's holds
_LONGEST_BANS = 10 * 366 * 86400


class Past(Value):
    """Whether bans are those that were recorded."""

    history: Annotated[bool, typer.Option("--history", help="All bans that were recorded.")] = False
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="NAME", help="With --history: only this machine; may be repeated."),
    ] = None

    def check(self, source: BanInput) -> None:
        """Raises ``UsageError`` where bans would come from two places."""
        source.check()
        if self.history and (source.paths or source.database is not None or source.client):
            raise UsageError("--history reads what was recorded: leave all inputs out")
        if self.host and not self.history:
            raise UsageError("--host is for --history")


class Rules(Value):
    """What is advised."""

    budget: Annotated[
        int, typer.Option("--budget", metavar="N", min=1, max=_MOST_RULES, help="At most so many networks.")
    ] = 100
    max_prefix: Annotated[
        str | None,
        typer.Option(
            "--max-prefix",
            metavar="V4[,V6]",
            help="The largest network; IPv6 is counted in /64.",
            show_default="20,48",
        ),
    ] = None
    min_bans: Annotated[
        int, typer.Option("--min-bans", metavar="N", min=1, help="No network with fewer bans.")
    ] = 2
    innocents: Annotated[
        int,
        typer.Option(
            "--innocents",
            metavar="N",
            min=1,
            max=65536,
            help="How many innocent addresses of a hosting company one ban of today outweighs.",
        ),
    ] = 256
    max_blocked: Annotated[
        int | None,
        typer.Option(
            "--max-blocked",
            metavar="N",
            min=1,
            help="Block at most so many addresses in all.",
            show_default="256 for each rule",
        ),
    ] = None
    by: Annotated[
        str,
        typer.Option("--by", metavar="network|asn", help="Networks built up from bans, or whole AS."),
    ] = "network"

    def terms(self) -> Terms:
        """What the choice is made for. Raises ``UsageError``."""
        if self.by not in {"network", "asn"}:
            raise UsageError(f"--by takes network or asn, not {ascii(self.by)}")
        if self.by == "asn" and (self.max_prefix, self.max_blocked) != (None, None):
            raise UsageError(
                "--by asn bans whole AS, however large: leave --max-prefix and --max-blocked out"
            )
        largest = dict(LARGEST)
        if self.max_prefix is not None:
            texts = [text.strip().removeprefix("/") for text in self.max_prefix.split(",")]
            if len(texts) > len(BITS) or not all(text.isascii() and text.isdigit() for text in texts):
                raise UsageError("--max-prefix takes a length for IPv4, and one for IPv6: 20,48")
            for version, text in zip(BITS, texts, strict=False):
                if not 1 <= int(text[:4]) <= BITS[version]:
                    raise UsageError(
                        f"--max-prefix: IPv{version} has 1 to {BITS[version]} here, not {text[:9]}"
                    )
                largest[version] = int(text)
        return Terms(self.budget, largest, self.min_bans, self.innocents, self.max_blocked)


class Spare(Value):
    """Who must not be banned, beside those whom geocli finds by itself."""

    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            metavar="WHAT",
            help="Never ban this: an address, a network, AS64496, a kind (cloud, research, access), or what "
            "a file holds; may be repeated.",
        ),
    ] = None
    allow_log: Annotated[
        list[Path] | None,
        typer.Option(
            "--allow-log", metavar="FILE", help="Never ban who logged in there: auth.log, mail.log."
        ),
    ] = None


class Judge(Value):
    """What is shown in place of the advice."""

    backtest: Annotated[
        str | None,
        typer.Option(
            "--backtest",
            metavar="TIME",
            help="Advice from before the last 30d, say, and which bans since then it would have avoided.",
        ),
    ] = None
    diff: Annotated[
        Path | None,
        typer.Option(
            "--diff", metavar="FILE", help="What is new and gone since the last advice, in any form."
        ),
    ] = None

    @property
    def period(self) -> float | None:
        """The seconds of the backtest. Raises ``UsageError``."""
        if self.backtest is None:
            return None
        period = options.duration("--backtest", self.backtest)
        if period == 0:
            raise UsageError("--backtest: a time without length has no bans")
        return period


class Script(Value):
    """Whether it is shown as a script, and for how long that bans."""

    format: rule_options.Format = None
    ban_time: Annotated[
        str, typer.Option("--ban-time", metavar="TIME", help="How long a script's bans last; 0: for good.")
    ] = "7d"

    @property
    def rules(self) -> str | None:
        """The rule format that is asked for, if one is."""
        return rule_options.rule_format(self.format)

    def form(self, form: FormOptions, by: str) -> FormOptions:
        """The form of rows. Raises ``UsageError``."""
        rows = rule_options.form_of(self.format, form)
        # The networks of whole AS are no column.
        return form if self.format == "plain" and by != "network" else rows

    def seconds(self) -> int | None:
        """How long the bans of a script last; ``None`` for good. Raises ``UsageError``."""
        seconds = options.parsed("--ban-time", parse_duration, self.ban_time)
        if seconds > _LONGEST_BANS:
            raise UsageError("--ban-time: ten years are the most; 0 is for good")
        return int(seconds) or None
