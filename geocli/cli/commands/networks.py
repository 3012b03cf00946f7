"""``geocli networks``: the networks of a country, an AS or a holder, out of the local databases."""

from itertools import islice
from socket import AF_INET, AF_INET6, inet_ntop
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.cli import options, rule_options
from geocli.cli.age_notice import say_age_under_table
from geocli.cli.console import say, write_text
from geocli.cli.option_groups import with_groups
from geocli.cli.options import FormOptions
from geocli.cli.output import Output
from geocli.cli.progress import Progress
from geocli.cli.session import finish, note_closed_directory, noting
from geocli.model.errors import ExitCode, Problems, UsageError
from geocli.model.ranges import BITS, Spans
from geocli.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.config.settings import Settings
    from geocli.mmdb.networks import Wanted
    from geocli.model.records import Answer
    from geocli.output.rules.base import Rule

COLUMNS = ("network", "version", "first", "last", "addresses")
"""Of a row. ``addresses`` are how many there are in it."""

PIPED = ("network",)
SHOWN = ("network", "addresses")

_UNIT = {4: 32, 6: 64}  # what is counted: IPv4 addresses, and /64
_AT_ONCE = 4096  # rows
_MOST_RULES = 1 << 20  # networks in a script; a country has up to 80,000
_SET = "geocli-networks"


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("networks")(networks)


class Which(Value):
    """Which networks."""

    country: Annotated[
        list[str] | None,
        typer.Option("--country", metavar="CC[,CC...]", help="Those of these countries, by code or name."),
    ] = None
    asn: Annotated[
        list[str] | None, typer.Option("--asn", metavar="N[,N...]", help="Those of these AS numbers.")
    ] = None
    org: Annotated[
        list[str] | None,
        typer.Option(
            "--org", metavar="TEXT", help="Those whose holder has this in its name, in any case; repeatable."
        ),
    ] = None
    only_v4: Annotated[bool, typer.Option("-4", help="IPv4 only.")] = False
    only_v6: Annotated[bool, typer.Option("-6", help="IPv6 only.")] = False

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions of IP. Raises ``UsageError``."""
        if self.only_v4 and self.only_v6:
            raise UsageError("give -4 or -6, not both")
        return (4,) if self.only_v4 else (6,) if self.only_v6 else (4, 6)

    def wanted(self) -> "Wanted":
        """What networks have to have. Raises ``UsageError``."""
        from geocli.mmdb.networks import Wanted

        if not (self.country or self.asn or self.org):
            raise UsageError("say whose networks: --country, --asn or --org; with several, all must hold")
        names = tuple(" ".join(text.split()).casefold() for text in self.org or ())
        if not all(names):
            raise UsageError("--org: give a part of the holder's name")
        return Wanted(
            frozenset(options.parsed("--country", options.country, one) for one in _listed(self.country)),
            frozenset(options.parsed("--asn", options.asn, one) for one in _listed(self.asn)),
            names,
        )


@with_groups
def networks(
    ctx: typer.Context,
    which: Which,
    mmdb: options.Mmdb = None,
    format: rule_options.Format = None,  # noqa: A002 (it is the option's name)
    form: FormOptions = FormOptions(),  # noqa: B008 (immutable)
) -> ExitCode:
    """List the networks of a country, an AS or a holder: the fewest that hold exactly their addresses.

    They are those that the local databases have, whose answers are those of geocli lookup; nobody is asked.
    With several options, all must hold. A script of rules has a name of its own, beside that of geocli
    advise, and geocli never applies it.
    """
    settings: Settings = ctx.obj
    settings = settings.replace(mmdb=tuple(mmdb)) if mmdb else settings
    wanted, versions = which.wanted(), which.versions
    output = Output(rule_options.form_of(format, form), settings, COLUMNS, PIPED, SHOWN)
    problems, seen = Problems(), _Seen(wanted)
    with noting(problems):
        note_closed_directory(settings, problems)
        spans, source = _found(settings, wanted, versions, seen)
        missing = seen.missing(versions, source)
        for line in missing:
            problems.note(UsageError(line))
        rules = rule_options.rule_format(format)
        if rules is None:
            _write_rows(spans, output)
            say_age_under_table(settings, output.form)
        elif not missing:  # rules of half of it would replace good ones
            _write_script(rules, spans, f"of {seen.described}, by {source}")
        if spans and (settings.verbose or (output.form == "table" and not settings.quiet)):
            say(_counted(spans))
    return finish(problems)


class _Seen:
    """What of that which was asked for has networks."""

    def __init__(self, wanted: "Wanted") -> None:
        self._wanted = wanted
        self._values: set[object] = set()
        self._answers: set[Answer] = set()

    def add(self, answer: "Answer") -> None:
        """Learn that there is a network that has this answer."""
        if answer not in self._answers:
            self._answers.add(answer)
            self._values |= {answer.country_code, answer.asn, *self._wanted.names_in(answer)}

    @property
    def described(self) -> str:
        """What was asked for, for people."""
        parts = (map(_told, sorted(values, key=str)) for values in self._wanted if values)
        return " and ".join(" or ".join(part) for part in parts)

    def missing(self, versions: tuple[int, ...], source: str) -> list[str]:
        """A line for each value without any network; one line for all if there is no network at all."""
        family = f"IPv{versions[0]} " if len(versions) == 1 else ""
        if not self._answers:
            return [f"no {family}network of {self.described} is in {source}: there is nothing to list"]
        several = sum(map(bool, self._wanted)) > 1
        return [
            f"no {family}network of {_told(value)} is in {source}{' with all that was asked' * several}"
            for values in self._wanted
            for value in sorted(values, key=str)
            if value not in self._values
        ]


def _told(value: object) -> str:
    if isinstance(value, int):
        return f"AS{value}"
    text = str(value)
    return text if text.isupper() else f"a holder with {ascii(text[:60])} in its name"


def _listed(texts: list[str] | None) -> "Iterator[str]":
    return (part for text in texts or () for part in text.split(","))


def _found(
    settings: "Settings", wanted: "Wanted", versions: tuple[int, ...], seen: _Seen
) -> tuple[Spans, str]:
    """The addresses, and by which databases."""
    from geocli.providers.mmdb import create

    provider, spans = create(settings), Spans()
    with Progress.without_rows(settings) as progress:
        found = provider.networks(wanted, versions, lambda count: progress.show("reading records", count))
        for done, (version, first, last, answer) in enumerate(found):
            seen.add(answer)
            spans.add(version, first, last)
            if done % _AT_ONCE == 0:
                progress.show("networks", done)
    (source,) = provider.sources
    return spans, source


def _write_rows(spans: Spans, output: Output) -> None:
    rows = map(_row, spans.blocks())
    while part := list(islice(rows, _AT_ONCE)):
        output.write(part)
    output.finish()


def _row(block: tuple[int, int, int]) -> tuple[object, ...]:
    version, first, length = block
    size = 1 << BITS[version] - length
    network = _text(version, first)
    return (
        f"{network}/{length}" if size > 1 else network, version,
        network, _text(version, first + size - 1), size,
    )  # fmt: skip


def _text(version: int, number: int) -> str:
    if version == 4:
        return inet_ntop(AF_INET, number.to_bytes(4))
    return inet_ntop(AF_INET6, number.to_bytes(16))


class _Rules:
    """A rule for each network, made when it is asked for: a country has very many."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans
        self._count = sum(1 for _ in spans.blocks())

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> "Iterator[Rule]":
        from geocli.output.rules.base import Rule

        for version, first, length in self._spans.blocks():
            yield Rule(f"{_text(version, first)}/{length}")

    def __contains__(self, rule: object) -> bool:
        return any(rule == one for one in self)


def _write_script(name: str, spans: Spans, said: str) -> None:
    from geocli.output.rules.base import RuleSet, lines_of
    from geocli.output.rules.formats import RULE_FORMATS

    rules = _Rules(spans)
    if len(rules) > _MOST_RULES:
        raise UsageError(f"a script holds {_MOST_RULES:,} networks: ask for fewer, or for rows")
    said = f"{len(rules):,} network{'s' * (len(rules) != 1)} {said}"
    chosen = RuleSet(rules, [said], name=_SET, command="geocli networks", most=_MOST_RULES)
    lines = lines_of(chosen, RULE_FORMATS[name])
    while part := list(islice(lines, _AT_ONCE)):
        write_text("\n".join([*part, ""]))


def _counted(spans: Spans) -> str:
    """How much it is, for people; of IPv6 in /64, or parts of one."""
    networks, units = 0, {4: 0, 6: 0}
    for version, _, length in spans.blocks():
        networks += 1
        units[version] += 1 << max(0, _UNIT[version] - length)
    parts = [f"{units[4]:,} address{'es' * (units[4] != 1)}"] * bool(units[4])
    parts += [f"{units[6]:,} IPv6 /64"] * bool(units[6])
    return f"{networks:,} network{'s' * (networks != 1)} with {' and '.join(parts)}"
