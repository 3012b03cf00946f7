"""``geocli db build``: an MMDB file out of range CSVs."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.cli import options
from geocli.cli.console import say, write_text
from geocli.cli.option_groups import with_groups
from geocli.cli.progress import Progress
from geocli.model.countries import parse_country
from geocli.model.errors import ExitCode, UsageError
from geocli.model.value import Value

if TYPE_CHECKING:
    from geocli.config.settings import Settings
    from geocli.mmdb.builder.build import Origin, Recipe


class SourceOptions(Value):
    """What a database is built from, and who answers where sources differ."""

    country: Annotated[
        list[str] | None,
        typer.Option(
            "--country",
            metavar="[NAME=]FILE",
            help="CSV with start,end,country code. One family in one file; files of one NAME are one source.",
        ),
    ] = None
    asn: Annotated[
        list[Path] | None,
        typer.Option("--asn", metavar="FILE", help="CSV with start,end,AS number,organisation."),
    ] = None
    overlay: Annotated[
        list[Path] | None,
        typer.Option("--overlay", metavar="FILE", help="Countries that win over those of all sources."),
    ] = None
    outvote: Annotated[
        str | None,
        typer.Option(
            "--outvote",
            metavar="N[,N]",
            help="The first source answers, unless N others agree on another country; for IPv4, for IPv6.",
            show_default="all others",
        ),
    ] = None
    doubtful: Annotated[
        str,
        typer.Option(
            "--doubtful", metavar="CC[,CC...]", help="Countries that count only where two sources say so."
        ),
    ] = ""
    overlaps: Annotated[
        str,
        typer.Option(
            metavar="refuse|narrowest", help="Where ranges overlap: stop, or let the narrower one win."
        ),
    ] = "refuse"

    def recipe(self) -> "Recipe":
        """Return what they say. Raises ``UsageError``."""
        from geocli.mmdb.builder.build import Recipe
        from geocli.mmdb.builder.overlay import Vote
        from geocli.mmdb.builder.ranges import Overlaps

        if not self.country and not self.asn:
            raise UsageError("nothing to build from: give --country FILE, --asn FILE, or both")
        try:
            policy = Overlaps(self.overlaps)
        except ValueError:
            raise UsageError(f"--overlaps takes refuse or narrowest, not {ascii(self.overlaps)}") from None
        sources: dict[str, list[Path]] = {}
        for text in self.country or []:
            name, path = _source_and_file(text)
            sources.setdefault(name, []).append(path)
        codes = frozenset(
            options.parsed("--doubtful", parse_country, code) for code in self.doubtful.split(",") if code
        )
        votes: tuple[int | None, int | None] = (None, None)
        if self.outvote is not None:
            votes = options.parsed("--outvote", _parse_outvote, self.outvote)
        return Recipe(
            countries=sources,
            systems=self.asn or [],
            overlays=self.overlay or [],
            overlaps=policy,
            votes={family: Vote(needed, codes) for family, needed in zip((4, 6), votes, strict=True)},
        )


class OriginOptions(Value):
    """What a database says of itself."""

    database_type: Annotated[
        str,
        typer.Option(
            "--type", metavar="NAME", help="What the database is called; records name it as their source."
        ),
    ] = "custom"
    edition: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM[-DD]", help="How old the data is.", show_default="today"),
    ] = None
    description: Annotated[str, typer.Option(metavar="TEXT", help="What is in it, in a sentence.")] = (
        "IP ranges to country and AS, built by geocli"
    )
    licence: Annotated[
        str, typer.Option(metavar="TEXT", help="The data's licences and the attribution they ask for.")
    ] = ""

    def origin(self) -> "Origin":
        """Return what they say."""
        from geocli.mmdb.builder.build import Origin

        edition = self.edition or datetime.now(UTC).strftime("%Y-%m-%d")
        return Origin(self.database_type, edition, self.description, self.licence)


@with_groups
def build_database(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The MMDB file to write.")],
    sources: SourceOptions,
    about: OriginOptions,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Write how far the sources reach and agree, as TSV; - is stdout.",
        ),
    ] = None,
) -> ExitCode:
    """Build an MMDB file from range CSVs, such as those of ip-location-db; they may be .gz, .bz2 or .xz.

    Ends of ranges are inclusive, addresses or integers. A row that cannot be right stops the build,
    with its file and line. Names of AS's that only repeat themselves or the number are put right.
    """
    from geocli.mmdb.builder.build import build
    from geocli.mmdb.builder.report import report_text

    settings: Settings = ctx.obj
    recipe, origin = sources.recipe(), about.origin()
    with Progress.without_rows(settings) as progress:
        built = build(recipe, output, origin, progress.show)
    if report is not None:
        _write_report(report, report_text(built.report.rows()))
    if built.no_country and not settings.quiet:
        passed_over = ", ".join(
            f"{code or 'none'} ({count})" for code, count in sorted(built.no_country.items())
        )
        say(f"ranges without a country, by what their row says: {passed_over}")
    if settings.verbose:
        say(f"{built.ranges} ranges, {built.networks} networks, {built.size} bytes")
    return ExitCode.OK


def _source_and_file(text: str) -> tuple[str, Path]:
    """``NAME=FILE``, or a file, which may have such a name."""
    match = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9_.-]*)=(.+)", text, re.DOTALL)
    return ("", Path(text)) if match is None or Path(text).exists() else (match[1], Path(match[2]))


def _parse_outvote(text: str) -> tuple[int, int]:
    """How many sources outvote the first, for IPv4 and for IPv6. Raises ``ValueError``."""
    match = re.fullmatch(r"([1-9][0-9]?)(?:,([1-9][0-9]?))?", text, re.ASCII)
    if match is None:
        raise ValueError(f"{ascii(text[:40])} is neither a number nor two: write 3, or 3,2")
    return int(match[1]), int(match[2] or match[1])


def _write_report(path: Path, text: str) -> None:
    if str(path) == "-":
        write_text(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
