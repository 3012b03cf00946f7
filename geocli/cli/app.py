"""The command line as a whole: the app, the default command, and errors as one line and an exit code."""

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geocli import __version__
from geocli.cli import last_resort  # not when it is needed: then nothing may be imported any more
from geocli.cli.console import ReaderGoneError, prepare_stdout, say, write_text
from geocli.cli.option_groups import with_groups
from geocli.model.errors import ExitCode, GeocliError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMANDS = {
    "lookup": "Say where addresses and networks are, and who holds them.",
    "bans": "Say who is banned, and from where.",
    "show": "Show all that is known about an address, an AS, a country.",
    "advise": "Say which networks to ban, without locking anybody out.",
    "networks": "List the networks of a country, an AS or a holder.",
    "summarize": "Count the addresses in a log by country, AS or organisation.",
    "report": "Draw who is banned, or in a log: a page with a map.",
    "annotate": "Copy text through, and say behind each address where it is.",
    "refresh": "Ask again about what is unknown, or old.",
    "flush": "Write what waits in the journal to the store.",
    "forget": "Delete what is older than you want to keep.",
    "store": "Copy a store, to a server or back; check what is kept.",
    "stats": "Show what is stored, what waits, and how old the data is.",
    "setup": "Make geocli ready here, or take it back.",
    "cron": "Have geocli flush, and fetch new databases, by itself.",
    "config": "Show every setting, and where it comes from.",
    "db": "List the databases that answers come from, or build one.",
}
"""Every module of ``commands``, with a line about it, in the order of the help text."""

DEFAULT_COMMAND = "lookup"

_WITH_COMMANDS = {"store", "cron", "config", "db"}
"""Commands that are nothing by themselves: alone, they show their help."""

_GLOBAL_FLAGS = {"-q", "--quiet", "-v", "--verbose", "--version", "--install-completion", "--show-completion"}
_GLOBAL_OPTIONS = {"--data-dir", "--config", "--color", "--store"}
_HELP = {"-h", "--help"}


def run(arguments: list[str]) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    prepare_stdout()
    completing = "_GEOCLI_COMPLETE" in os.environ
    try:
        arguments, command = (arguments, None) if completing else arrange(arguments)
    except UsageError as error:
        say(str(error))
        return error.exit_code
    shows_help = arguments[-1:] == [command] and command in _WITH_COMMANDS
    arguments = [*arguments, "--help"] if shows_help else arguments
    app = _app([command]) if command else _completing_app() if completing else _about_geocli(arguments)
    if command and _HELP.intersection(arguments):
        from geocli.cli.examples import add_to_help  # only then

        add_to_help(app)
    try:
        code = app(arguments, "geocli", standalone_mode=False)
    except GeocliError as error:
        say(str(error))
        return error.exit_code
    except typer.TyperException as error:
        say(f"{error.format_message()} (geocli{f' {command}' if command else ''} --help shows what there is)")
        return ExitCode.USAGE
    except typer.Abort:
        return ExitCode.INTERRUPTED
    except ReaderGoneError:
        return ExitCode.OK
    except MemoryError:
        raise  # there may be enough once all of this is given up
    except Exception as error:  # noqa: BLE001 (the last resort)
        if isinstance(error, OSError) and _HELP.intersection(arguments):
            # Typer prints the help; whatever else is written goes through ``console``.
            say(f"cannot write to standard output: {error.strerror or error}")
            return ExitCode.TRY_AGAIN
        if isinstance(error, PermissionError) and error.filename is not None:
            from geocli.system.ownership import os_error_of  # only then

            closed = os_error_of(error, Path(os.fsdecode(error.filename)))
            say(str(closed))
            return closed.exit_code
        return last_resort.tell(error, arguments)
    return int(code or (ExitCode.USAGE if shows_help else ExitCode.OK))


def arrange(arguments: list[str]) -> tuple[list[str], str | None]:
    """Put global options first and the default command in where none is named.

    So ``geocli 8.8.8.8 -j``, ``geocli flush -v`` and ``… | geocli`` mean what people mean by them. Returns
    the arguments and the command's name, ``None`` when they ask about geocli as a whole. Raises
    ``UsageError`` for what is nearly a command.
    """
    first, rest = [], []
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        if argument == "--":
            rest += [argument, *queue]
            break
        if argument in _GLOBAL_FLAGS or argument.partition("=")[0] in _GLOBAL_OPTIONS:
            first.append(argument)
            option, equals, value = argument.partition("=")
            if argument in _GLOBAL_OPTIONS and queue:
                value = queue.pop(0)
                first.append(value)
            elif not equals:
                continue
            _expect_value(option, value)
        else:
            rest.append(argument)
    if rest[:1] == ["help"]:
        rest = [*rest[1:2], "--help"]
    if rest and rest[0] in COMMANDS:
        return first + rest, rest[0]
    if rest and (meant := _nearly(rest[0])) is not None:
        raise UsageError(f"no command is called {ascii(rest[0])}: did you mean geocli {meant}?")
    if _HELP.intersection(rest[:1]) or {"--version", "--install-completion", "--show-completion"} & set(
        first
    ):
        return first + rest, None
    if not rest and (sys.stdin is None or sys.stdin.isatty()):
        return [*first, "--help"], None
    return [*first, DEFAULT_COMMAND, *rest], DEFAULT_COMMAND


def _expect_value(option: str, value: str | None) -> None:
    """See that a global option got no empty text: that is a variable that was not set, and no directory."""
    if value == "":
        raise UsageError(f"{option} got an empty text: is a variable not set?")


def _nearly(text: str) -> str | None:
    """The command that was meant, where a word is nearly one, and no file."""
    if not (text.isalpha() and text.islower()) or Path(text).exists():
        return None
    from difflib import get_close_matches  # only where something is wrong

    return next(iter(get_close_matches(text, COMMANDS, 1, 0.75)), None)


def command_tree() -> Any:
    """All commands with their options, for a manual: Typer's idea of a command."""
    from geocli.cli.examples import add_to_help

    app = _app(COMMANDS, add_completion=True)
    add_to_help(app)
    return typer.main.get_command(app)


def help_records(command: Any) -> list[tuple[str, str]]:
    """The names and the text of each argument and option of a command of that tree."""
    context = typer.Context(command, info_name="geocli")
    records = (parameter.get_help_record(context) for parameter in command.params)
    return [record for record in records if record is not None]


def _app(commands: "Iterable[str]", *, add_completion: bool = False) -> typer.Typer:
    """The app with these commands: importing and inspecting the others would only cost time."""
    app = _bare_app(add_completion=add_completion)
    for name in commands:
        importlib.import_module(f"geocli.cli.commands.{name}").register(app)
    return app


def _completing_app() -> typer.Typer:
    """The app as a shell needs it that completes a line."""
    from geocli.cli import completion as _completing  # only then

    app = _app(COMMANDS, add_completion=True)
    app.callback(cls=_completing.group_class(DEFAULT_COMMAND))(_global_options)
    _completing.offer_values(app)
    _completing.join_values(os.environ)
    return app


def _about_geocli(arguments: list[str]) -> typer.Typer:
    """The app as its own help and version need it: what commands there are, and nothing behind them."""
    if arguments == ["--version"]:
        return _bare_app(add_completion=False)
    app = _bare_app(add_completion=True)
    for name, summary in COMMANDS.items():
        app.command(name, help=summary)(lambda: None)
    return app


def _bare_app(*, add_completion: bool) -> typer.Typer:
    app = typer.Typer(
        name="geocli",
        rich_markup_mode=None,  # plain help: quick, and the same in a pipe
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        no_args_is_help=True,
        add_completion=add_completion,
    )
    app.callback()(_global_options)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        write_text(f"geocli {__version__}\n")
        raise typer.Exit


@with_groups  # it has none, but Typer is spared the annotations
def _global_options(
    ctx: typer.Context,
    data_dir: Annotated[
        Path | None,
        # Whether it can be used is seen where it is: look-ups go on without it.
        typer.Option(
            metavar="DIR", readable=False, help="Where journal, store and databases are; GEOCLI_DATA_DIR."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The configuration file (TOML); GEOCLI_CONFIG."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A server for the store, in place of geo.db: postgresql://..."),
    ] = None,
    color: Annotated[
        str | None, typer.Option(metavar="auto|always|never", help="Colours; NO_COLOR is never.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False,
    version: Annotated[  # noqa: ARG001 (eager: its callback does the work)
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Who is attacking me, and from where: IP addresses to country, AS and organisation.

    \b
    geocli 8.8.8.8                    is short for: geocli lookup 8.8.8.8
    fail2ban-client banned | geocli   is short for: ... | geocli lookup
    """  # noqa: D301 (the backspace itself: it has these lines left as they are)
    from geocli.config.settings import Flags, load_settings  # help and version need no settings

    flags = ctx.meta["flags"] = Flags(data_dir, config, color, quiet, verbose, store)
    # "geocli config path" must answer when the file is broken: that is when people ask.
    ctx.obj = flags if ctx.invoked_subcommand == "config" else load_settings(flags, os.environ)
