"""``geocli report``: the picture of a ban list or a log, as a page, a map or both."""

import gc
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from geocli import __version__
from geocli.bans.timeline import PERIODS
from geocli.cli import options
from geocli.cli.age_notice import age_line
from geocli.cli.ban_options import BanFilters, BanInput
from geocli.cli.commands.advise_options import Spare
from geocli.cli.commands.report_advice import Adviser
from geocli.cli.commands.report_source import STDIO, ReportSource
from geocli.cli.console import write_bytes, write_text
from geocli.cli.option_groups import with_groups
from geocli.cli.options import LookupOptions
from geocli.cli.session import finish, noting
from geocli.mmdb.catalog import open_databases
from geocli.model.errors import ExitCode, Problems, UsageError
from geocli.model.records import clean_text
from geocli.model.value import Value
from geocli.output.report.about import About
from geocli.system.files import check_place, write_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geocli.config.settings import Settings
    from geocli.output.report.summary import Summary

_LONGEST_TITLE = 200
_MOST_RULES = 100
_MAP_BY = ("bans", "addresses")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("report")(report)


class PageOptions(Value):
    """What a report looks like."""

    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="What stands above the page.")
    ] = None
    anonymize: Annotated[
        bool, typer.Option("--anonymize", help="Show no address: networks stand for them.")
    ] = False
    map_by: Annotated[
        str, typer.Option("--map-by", metavar="|".join(_MAP_BY), help="What the map's colours stand for.")
    ] = "bans"
    period: Annotated[
        str | None,
        typer.Option(
            "--period", metavar="|".join(PERIODS), help="What a bar stands for.", show_default="what fits"
        ),
    ] = None
    top: Annotated[
        int, typer.Option("--top", metavar="N", min=1, max=5000, help="Rows of each table at first.")
    ] = 12
    budget: Annotated[
        int,
        typer.Option(
            "--budget",
            metavar="N",
            min=0,
            max=_MOST_RULES,
            help="What to do now: at most so many networks to ban, as advise says; 0: nothing.",
        ),
    ] = 12

    def check(self) -> None:
        """Raises ``UsageError``."""
        for name, value, known in (("--map-by", self.map_by, _MAP_BY), ("--period", self.period, PERIODS)):
            if value is not None and value not in known:
                raise UsageError(f"{name} takes {', '.join(known)}, not {ascii(value)}")


class PlaceOptions(Value):
    """Where the results go, and who may read them."""

    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The page to write (HTML); - is stdout."),
    ] = None
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="The map alone, as SVG.")] = None
    png: Annotated[
        Path | None,
        typer.Option("--png", metavar="FILE", help="The map alone, as PNG. Needs: pip install 'geocli[png]'"),
    ] = None
    mode: Annotated[
        str, typer.Option("--mode", metavar="MODE", help="Who may read the files, as for chmod.")
    ] = "644"

    @property
    def has_page(self) -> bool:
        """Whether a page is drawn, and not the map alone."""
        return self.output is not None or self.svg is self.png is None

    def places(self) -> "_Places":
        """Return them, where something can be written there. Raises ``UsageError``."""
        page = self.output
        if page is self.svg is self.png is None:
            if sys.stdout is not None and sys.stdout.isatty():
                raise UsageError("say where the page goes: -o bans.html, or -o - for standard output")
            page = STDIO
        places = _Places(page, self.svg, self.png, options.parsed("--mode", _mode, self.mode))
        places.check()
        return places


@with_groups
def report(
    ctx: typer.Context,
    where: PlaceOptions,
    page: PageOptions,
    source: BanInput,
    filters: BanFilters,
    spare: Spare,
    lookup: LookupOptions,
    log: Annotated[
        list[Path] | None,
        typer.Option("--log", metavar="FILE", help="Count the addresses of any log instead of bans."),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="All bans that were recorded, instead of those of now.")
    ] = False,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="NAME", help="With --history: only this machine; may be repeated."),
    ] = None,
    no_cache: options.NoCache = False,
) -> ExitCode:
    """Draw a ban list or a log: one HTML file with a world map, charts and tables.

    Reads what bans reads or recorded, or any log. The page needs no network and no other file; it may be
    opened from disk, sent by mail or served. Silent in scripts; on a terminal, says what was written.
    """
    settings: Settings = lookup.apply(ctx.obj)
    gc.disable()  # hundreds of thousands of small tuples, none of which is garbage
    now = time.time()
    page.check()
    about = ReportSource(source, log, history, host, filters, filters.query(now), now, page.period, no_cache)
    about.check()
    places = where.places()
    origin = about.origin()  # to be asked before stdin is read
    problems = Problems()
    # Rules for a log's visitors would ban them all, and a network may be one person's.
    is_advised = page.budget and not log and not page.anonymize and where.has_page
    adviser = Adviser(about, spare, page.budget, settings) if is_advised else None
    summary = about.summary(settings, problems, adviser, anonymous=page.anonymize)
    with noting(problems):
        todo = None if adviser is None else adviser.result(problems)
        # A list that could not be read is not an empty one: what was drawn last time stays.
        is_incomplete = 0 < about.inputs <= problems.bad_inputs
        if not is_incomplete and (summary.total or not problems.codes()):
            age = age_line(settings, now)
            told = _about(about, page, origin, problems, age)._replace(todo=todo)
            written = list(_draw(summary, told, settings, places))
            _say_written(settings, written, summary, told)
    return finish(problems)


def _about(
    source: ReportSource, page: PageOptions, origin: str, problems: Problems, age: str | None
) -> About:
    return About(
        title=clean_text(page.title, _LONGEST_TITLE) if page.title else source.title,
        unit=source.unit,
        nothing=source.nothing,
        origin=origin,
        made=source.now,
        map_by=page.map_by,
        top=page.top,
        filtered=source.filtered(),
        warnings=[clean_text(str(problem)) for problem in problems],
        age=None if age is None else f"{age[0].upper()}{age[1:]}",
        anonymous=page.anonymize,
        version=__version__,
    )


class _Places(NamedTuple):
    """Where the results go, and with which permissions."""

    page: Path | None
    svg: Path | None
    png: Path | None
    mode: int

    def check(self) -> None:
        """See that something can be written there, before the work. Raises ``UsageError``."""
        if [self.page, self.svg, self.png].count(STDIO) > 1:
            raise UsageError("only one of --output, --svg and --png can be standard output")
        for path in (self.page, self.svg, self.png):
            if path is not None and path != STDIO:
                check_place(path)
        if self.png is not None:
            from geocli.output.report import png

            png.check()

    def write(self, path: Path, data: bytes) -> int:
        """Put a result in its place, and return its bytes. Raises ``GeocliError`` or ``ReaderGoneError``."""
        if path == STDIO:
            write_bytes(data)
        else:
            write_file(path, data, self.mode)
        return len(data)


def _say_written(
    settings: "Settings", written: "Sequence[tuple[Path, int]]", picture: "Summary", about: About
) -> None:
    """Say on a terminal which files there are now, with their bytes, and what is in them."""
    if any(path == STDIO for path, _ in written):
        return
    if settings.verbose or (not settings.quiet and sys.stdout is not None and sys.stdout.isatty()):
        from geocli.output.report.page import plural

        counted = f"{plural(picture.total, about.unit)} of {plural(picture.addresses, 'address')}"
        for path, size in written:
            write_text(f"wrote {clean_text(str(path))}: {counted}, {plural(size, 'byte')}\n")


def _draw(
    picture: "Summary", about: About, settings: "Settings", places: _Places
) -> "Iterator[tuple[Path, int]]":
    """Write what is wanted, and yield each place with the bytes that are there now."""
    from geocli.output.report.credits import credits_of
    from geocli.output.report.page import render_map, render_page

    databases = (
        open_databases(settings.data_dir / "mmdb", settings.mmdb) if "mmdb" in settings.provider else []
    )
    thanks = credits_of(picture.sources, [database.description for database in databases], about.made)
    if places.svg is not None or places.png is not None:
        drawn = render_map(picture, about, thanks)
        if places.svg is not None:
            yield places.svg, places.write(places.svg, drawn.encode())
        if places.png is not None:
            from geocli.output.report.png import png_of

            yield places.png, places.write(places.png, png_of(drawn))
    if places.page is not None:
        yield places.page, places.write(places.page, render_page(picture, about, thanks).encode())


def _mode(text: str) -> int:
    mode = int(text, 8) if re.fullmatch("0?[0-7]{3}", text) else 0
    if not 0o400 <= mode <= 0o666:
        raise ValueError(f"{ascii(text[:40])} is no mode: write 644, 640 or 600")
    return mode
