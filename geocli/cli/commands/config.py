"""``geocli config``: every setting, and where it comes from."""

import os
import sys
from typing import TYPE_CHECKING

import typer

from geocli.cli.console import say, write_bytes, write_text
from geocli.cli.option_groups import with_groups
from geocli.cli.options import FormOptions
from geocli.cli.output import Output
from geocli.config.explained import Explained, explain
from geocli.config.keys import unused_variables
from geocli.config.settings import config_path, load_settings
from geocli.model.errors import ExitCode
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from geocli.config.settings import Flags

COLUMNS = Explained._fields
PIPED = ("setting", "value", "origin")
SHOWN = ("setting", "value", "origin", "where")
_LONGEST_PATH = 4096


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    group = typer.Typer(
        help="Show every setting, and where it comes from.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command("show")(show)
    group.command("path")(path)
    app.add_typer(group, name="config")


@with_groups
def show(
    ctx: typer.Context,
    form: FormOptions,
) -> ExitCode:
    """Show every setting: its value, and whether a flag, the environment, the file or nobody set it.

    An empty value is nobody's: the source that it is for decides. Keys are shown as ***.
    """
    flags: Flags = ctx.obj
    settings = load_settings(flags, os.environ)
    output = Output(form, settings, COLUMNS, PIPED, SHOWN)
    output.write(explain(flags, os.environ))
    if not settings.quiet:
        for sentence in unused_variables(os.environ):
            say(sentence)
    return ExitCode.OK


def path(ctx: typer.Context) -> ExitCode:
    """Print where the configuration file is, or would be.

    For instance: $EDITOR "$(geocli config path)"
    """
    flags: Flags = ctx.obj
    found = str(config_path(flags, os.environ))
    if sys.stdout is not None and sys.stdout.isatty():
        write_text(clean_text(found, _LONGEST_PATH) + "\n")
    else:  # a script opens what it is told: byte for byte
        write_bytes(os.fsencode(found) + b"\n")
    return ExitCode.OK
