"""``geocli show``: all that is known about an address, a network, an AS or a country."""

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.bans.profile import Profiler
from geocli.bans.subject import Kind, Subject, parse_subjects
from geocli.cli import options
from geocli.cli.age_notice import watch_age
from geocli.cli.ban_options import Program, Socket
from geocli.cli.console import reporter, say, write_text
from geocli.cli.option_groups import with_groups
from geocli.cli.options import LookupOptions
from geocli.cli.progress import Progress
from geocli.cli.session import finish, noting, open_history, open_lookup
from geocli.model.addresses import is_reserved
from geocli.model.blocks import block_of
from geocli.model.errors import ExitCode, GeocliError, Problems, UnanswerableError, UsageError
from geocli.model.value import Value

if TYPE_CHECKING:
    from geocli.bans.profile import Profile
    from geocli.config.settings import Settings
    from geocli.inputs.log_lines import LineFinder, Lines
    from geocli.model.bans import Ban
    from geocli.providers.rdap import Rdap
    from geocli.providers.registrations import Registration

_MAIL = 78  # columns that a mail may have (RFC 5322, 2.1.1)
_LINES = 20  # of a log, about one address


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("show")(show)


class ShowOptions(Value):
    """What is to be known, and about what."""

    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WHAT...", help="Addresses, networks, AS numbers, countries.", show_default=False
        ),
    ] = None
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input", "-i", metavar="FILE", help="Show the lines of this log that tell of it; - is stdin."
        ),
    ] = None
    whois: Annotated[
        bool,
        typer.Option(
            "--whois", help="Ask the registry, online, who answers for it, and write a mail to them."
        ),
    ] = False
    top: Annotated[
        int, typer.Option("--top", metavar="N", min=1, max=10_000, help="Bans and addresses of each list.")
    ] = 10
    program: Program = None
    socket: Socket = None

    def subjects(self, problems: Problems) -> list[Subject]:
        """What is asked about; what is none of it is noted, and so is what cannot be asked about it."""
        subjects: dict[Subject, None] = {}
        for text in self.what or ():
            try:
                subjects.update(dict.fromkeys(parse_subjects(text)))
            except UsageError as error:
                problems.note(error)
        for subject in subjects:
            if self.whois and subject.kind is Kind.COUNTRY:
                problems.note(UsageError(f"--whois: nobody answers for all of {subject}"))
            if self.inputs and not subject.is_target:
                problems.note(UsageError(f"-i is for addresses and networks: {subject} is neither"))
        return list(subjects)


@with_groups
def show(
    ctx: typer.Context, wanted: ShowOptions, lookup: LookupOptions, json: options.Json = False
) -> ExitCode:
    """Show all that is known about an address, a network, an AS or a country, on one screen.

    Where it is, with the age and source of the answer; every ban in the history; who else was banned in its
    /24 (IPv6: /64) and its AS; and whether the running fail2ban bans it now, where there is one. Of a
    network, an AS or a country, the bans all together, and the worst addresses. Asks nobody on the network
    without --whois or --provider.
    """
    settings = lookup.apply(ctx.obj)
    if not wanted.what:
        raise UsageError("show what? Give an address, a network, an AS number or a country")
    problems = Problems()
    subjects = wanted.subjects(problems)
    screen = _Screen(settings, wanted, json=json)
    with noting(problems), Progress(settings) as progress:
        lines = _read_lines(wanted, subjects, problems)
        with open_lookup(settings, problems, progress) as way:
            targets = [subject.name for subject in subjects if subject.is_target]
            batches = way.pipeline.records(targets) if targets else ()
            records = {record.ip: record for batch in batches for record in batch}
        screen.is_partial = any(record.status == "error" for record in records.values())
        current = _current(wanted, settings, problems) if subjects else None
        # Where everybody is whom the server bans is asked about only in passing.
        with open_history(settings, problems, progress, keeps_answers=False) as history:
            profiler = Profiler(history, current, wanted.top)
            for subject in subjects:
                profile = _named(profiler.profile(subject, records.get(subject.name)), settings)
                registration = screen.ask(subject, problems, progress)
                progress.hide()
                screen.write(profile, registration, _lines_about(lines, subject))
        watch_age(settings)
    return finish(problems, ExitCode.PARTIAL if screen.is_partial else ExitCode.OK)


def _named(profile: "Profile", settings: "Settings") -> "Profile":
    """The same with the name of an AS that no ban tells, where a local database has it."""
    if profile.subject.kind is not Kind.ASN or profile.name is not None or "mmdb" not in settings.provider:
        return profile
    from geocli.mmdb.networks import Wanted
    from geocli.providers.mmdb import create

    wanted = Wanted(asns=frozenset({int(profile.subject.name)}))
    names = (answer.org for *_, answer in create(settings).networks(wanted, (4, 6)))
    return profile._replace(name=next(filter(None, names), None))


class _Screen:
    """Writes one profile after the other, and knows whether all could be asked that was to be."""

    def __init__(self, settings: "Settings", wanted: ShowOptions, *, json: bool) -> None:
        self._settings = settings
        self._whois = wanted.whois
        self._json = json
        self._terminal = sys.stdout is not None and sys.stdout.isatty()
        self._color = settings.color == "always" or (settings.color == "auto" and self._terminal)
        self._width = shutil.get_terminal_size((_MAIL, 0)).columns if self._terminal else _MAIL
        self._rdap: Rdap | None = None
        self._begun = False
        self.is_partial = False

    def ask(self, subject: Subject, problems: Problems, progress: Progress) -> "Registration | None":
        """Ask the registry, where that was wanted and there is one."""
        if not self._whois or subject.kind is Kind.COUNTRY:
            return None
        if subject.is_target and is_reserved(subject.name):
            problems.mention(UsageError(f"whois: {subject} is reserved: no registry is asked about it"))
            return None
        from geocli.providers.rdap import Rdap  # only where somebody is asked

        self._rdap = self._rdap or Rdap(self._settings, reporter(self._settings, problems, progress))
        try:
            found = self._rdap.find("ip" if subject.is_target else "autnum", subject.name)
        except UnanswerableError as error:
            problems.note(error)
            self.is_partial = True
            return None
        if found is None:
            problems.mention(UsageError(f"whois: no registry knows {subject}"))
        return found

    def write(self, profile: "Profile", registration: "Registration | None", lines: "Lines | None") -> None:
        """Write what is known of one thing. Raises ``ReaderGoneError`` or ``TryAgainError``."""
        if self._json:
            from geocli.output.profile.document import document

            write_text(document(profile, registration, lines))
            return
        from geocli.output.profile.mail import mail
        from geocli.output.profile.page import Page

        page = Page(self._width, color=self._color, now=time.time())
        letter = None if registration is None else mail(profile, registration, lines)
        text = page.text(profile, registration, None if letter is not None else lines)
        write_text("\n" * self._begun + text + (f"\n{letter}" if letter is not None else ""))
        self._begun = True
        if page.left_out and self._terminal and not self._settings.quiet:
            say(
                f"for want of room left out: {', '.join(page.left_out)} (a wider terminal, or -j, shows them)"
            )


def _read_lines(wanted: ShowOptions, subjects: list[Subject], problems: Problems) -> "LineFinder | None":
    """Look through the logs once, for all that is asked about."""
    blocks = [block_of(subject.name) for subject in subjects if subject.is_target]
    if not wanted.inputs or not blocks:
        return None
    from geocli.inputs.log_lines import LineFinder
    from geocli.inputs.targets import open_streams

    finder = LineFinder([block for block in blocks if block is not None], _LINES)
    for stream in open_streams(wanted.inputs, sys.stdin, problems):
        try:
            finder.read(stream)
        except UsageError as error:
            problems.note(error)
    return finder


def _lines_about(finder: "LineFinder | None", subject: Subject) -> "Lines | None":
    block = block_of(subject.name) if subject.is_target else None
    return None if finder is None or block is None else finder.found(block)


def _current(wanted: ShowOptions, settings: "Settings", problems: Problems) -> "list[Ban] | None":
    """The running server's bans; ``None`` where there is none, which is said if somebody asked for it."""
    from geocli.inputs.fail2ban.client import ask_server, is_installed

    asked = wanted.program is not None or wanted.socket is not None
    if not asked and not is_installed(None):
        if settings.verbose:
            problems.mention(UsageError("fail2ban-client is not installed: no running server was asked"))
        return None
    try:
        return ask_server(wanted.program, wanted.socket, None)
    except GeocliError as error:
        (problems.note if asked else problems.mention)(error)
        return None
