"""``geocli advise``: which networks to ban, without locking anybody out."""

import gc
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from geocli.bans.advice.advice import budgets_beside
from geocli.cli.ban_options import BanFilters, BanInput
from geocli.cli.commands.advise_evidence import (
    Matter,
    allow_list,
    networks_of,
    read_bans,
)
from geocli.cli.commands.advise_options import Judge, Past, Rules, Script, Spare
from geocli.cli.console import say, write_text
from geocli.cli.option_groups import with_groups
from geocli.cli.options import FormOptions
from geocli.cli.output import Output
from geocli.cli.progress import Progress
from geocli.cli.session import finish, noting
from geocli.model.errors import ExitCode, Problems, UsageError, worst_of
from geocli.model.records import utc_text
from geocli.output import advice as show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.bans.advice.prefix import Prefix
    from geocli.bans.advice.systems import System
    from geocli.config.settings import Settings
    from geocli.output.rules.base import Rule

_PIPED = ("network", "addresses", "bans", "share", "density", "asn", "org", "kind", "blocked")
_SHOWN = ("network", "addresses", "bans", "share", "blocked", "density", "kind", "asn", "org")
"""In a table: where it is narrow, columns go from the right, and what a network costs is the last to go."""

_PIPED_SYSTEMS = ("asn", "org", "kind", "networks", "addresses", "bans", "share", "blocked")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("advise")(advise)


def columns_of(by: str | None) -> tuple[str, ...]:
    """What a row has."""
    return show.SYSTEM_COLUMNS if by == "asn" else show.COLUMNS


@with_groups
def advise(
    ctx: typer.Context,
    source: BanInput,
    past: Past,
    filters: BanFilters,
    rules: Rules,
    spare: Spare,
    judge: Judge,
    script: Script,
    form: FormOptions,
) -> ExitCode:
    """Say which networks to ban: few rules that hold most bans, with nobody inside who is allowed.

    Networks are built up from the banned addresses, not taken from a database. Never inside are fail2ban's
    ignoreip, this machine's own addresses, gateways and resolvers, who is logged in, private space, and what
    --allow says. geocli prints rules; it never applies them.
    """
    settings: Settings = ctx.obj
    terms, period, seconds = rules.terms(), judge.period, script.seconds()
    if (period is not None) + (judge.diff is not None) + (rules.by == "asn") > 1:
        raise UsageError("give one of --backtest, --diff and --by asn")
    if script.rules is not None and (period is not None or judge.diff is not None):
        raise UsageError("--backtest and --diff show rows, not a script")
    output = _output(rules.by, judge, script.form(form, rules.by), settings)
    past.check(source)
    gc.disable()  # a hundred thousand bans are a million small tuples, and none of them is garbage
    problems = Problems()
    with noting(problems):
        bans = read_bans(source, filters, past, settings, problems)
        allow, holders = allow_list(spare, source, bans, os.environ.get("SSH_CLIENT"), problems)
        matter = Matter(bans, allow, holders, settings, terms)
        if script.rules is not None and worst_of(problems):
            pass  # rules of half the bans would replace good ones
        elif period is not None:
            _show_backtest(matter, period, output)
        elif judge.diff is not None:
            _show_changes(matter, judge.diff, output, problems)
        elif rules.by == "asn":
            _show_systems(matter, script, seconds, output, settings)
        else:
            _show_networks(matter, script, seconds, output, settings)
    return finish(problems)


def _output(by: str, judge: Judge, form: FormOptions, settings: "Settings") -> Output:
    columns: tuple[str, ...]
    piped: tuple[str, ...]
    if judge.backtest is not None:
        columns = piped = show.OUTCOME_COLUMNS
    elif judge.diff is not None:
        columns, piped = ("change", *show.COLUMNS), ("change", *_PIPED)
    elif by == "asn":
        columns, piped = show.SYSTEM_COLUMNS, _PIPED_SYSTEMS
    else:
        columns, piped = show.COLUMNS, _PIPED
    return Output(form, settings, columns, piped, _SHOWN if piped == _PIPED else piped)


def _show_networks(
    matter: Matter, script: Script, seconds: int | None, output: Output, settings: "Settings"
) -> None:
    budget = matter.terms.budget
    advice = matter.advice(budgets_beside(budget) if output.form == "table" else ())
    said = show.sentence(advice, matter.bans.days, budget)
    left_out = show.left_out(advice.left_out)
    if script.rules is not None:
        _write_script(script.rules, show.rules_of(advice), [said, *left_out], seconds)
        return
    output.write([show.row(network, advice.bans) for network in advice.networks])
    output.finish()
    if output.form == "table":
        output.write_text("\n".join(["", said, *left_out, "", show.curve(advice.curve, advice.bans)]))
    elif not settings.quiet:
        for line in (*([said] if settings.verbose else []), *left_out):
            say(line)


def _show_systems(
    matter: Matter, script: Script, seconds: int | None, output: Output, settings: "Settings"
) -> None:
    from geocli.bans.advice.systems import with_networks, worst_systems

    evidence = matter.bans.evidence()
    everybody = matter.bans.gathered.holders
    spared = {holder.asn or 0 for holder in everybody if matter.holders.why(holder.of_system)}
    systems = worst_systems(evidence, matter.terms.budget, matter.terms.min_bans, spared)
    networks: dict[int, list[Prefix]] = {system.holder.asn or 0: [] for system in systems}
    for _, prefix, _, _, holder in evidence.weighed():
        if prefix.version == 6 and holder.asn in networks:
            networks[holder.asn].append(prefix)
    if systems:
        with Progress.without_rows(settings) as progress:
            for asn, prefix in networks_of(networks, matter.settings, progress):
                networks[asn].append(prefix)
    systems = with_networks(systems, networks, matter.allow)
    _warn(systems, settings)
    said = f"{len(systems)} whole AS, {show.blocked(_all_networks(systems))}"
    if script.rules is not None:
        _write_script(script.rules, show.rules_of_systems(systems), [said], seconds)
        return
    if script.format == "plain":
        write_text("".join(f"{network}\n" for network in _all_networks(systems)))
        return
    output.write([show.system_row(system, evidence.bans) for system in systems])
    output.finish()


def _all_networks(systems: "Sequence[System]") -> "list[Prefix]":
    return [network for system in systems for network in system.networks]


def _warn(systems: "Sequence[System]", settings: "Settings") -> None:
    """What goes with whole AS, plainly."""
    if not systems or settings.quiet:
        return
    banned = sum(system.addresses for system in systems)
    say(
        f"these {len(systems)} AS are {show.blocked(_all_networks(systems))}, and {banned:,} of them were "
        "banned: mail servers, customers, crawlers and package mirrors in them are blocked too"
    )


def _show_backtest(matter: Matter, period: float, output: Output) -> None:
    from geocli.bans.advice.backtest import backtest
    from geocli.bans.advice.evidence import Evidence

    split = utc_text(max(0.0, matter.bans.judged_at - period))
    gathered = matter.bans.gathered
    if not gathered.is_timed:
        raise UsageError("--backtest: the input does not say when the bans began")
    before, later = matter.bans.evidence(split), Evidence(matter.bans.judged_at, gathered, since=split)
    if not before.bans or not later.bans:
        raise UsageError(
            f"--backtest: {before.bans} bans began before {split} and {later.bans} after: it needs both"
        )
    output.write(
        [show.outcome_row(outcome) for outcome in backtest(before, later, matter.allow, matter.terms)]
    )
    output.finish()


def _show_changes(matter: Matter, path: Path, output: Output, problems: Problems) -> None:
    from geocli.bans.advice.prefix import prefix_of
    from geocli.inputs.targets import open_streams, read_targets

    last = [
        prefix_of(target)
        for stream in open_streams([path], None, problems)
        for targets in read_targets(stream.chunks())
        for target in targets
    ]
    if worst_of(problems):
        return  # everything would look new
    advice = matter.advice()
    output.write(show.changes(last, advice.networks, advice.bans))
    output.finish()


def _write_script(name: str, rules: "Sequence[Rule]", said: "Sequence[str]", seconds: int | None) -> None:
    from geocli.output.rules.base import RuleSet, script
    from geocli.output.rules.formats import RULE_FORMATS

    ends = None if seconds is None else utc_text(time.time() + seconds).removesuffix("Z")
    write_text(script(RuleSet(rules, said, seconds, ends), RULE_FORMATS[name]))
