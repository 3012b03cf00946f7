"""What commands work on, opened and closed, and how each of them ends."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from geocli.cli.console import ReaderGoneError, is_for_people, reporter, say
from geocli.model.errors import ExitCode, GeocliError, UsageError, worst_of
from geocli.model.records import clean_text
from geocli.model.value import Value
from geocli.storage.journal.journal import Journal
from geocli.storage.store.open import open_store
from geocli.system.ownership import check_trusted, closed_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from geocli.bans.history import History
    from geocli.cli.progress import Progress
    from geocli.config.settings import Settings
    from geocli.lookup.cache import Cache
    from geocli.lookup.pipeline import Pipeline
    from geocli.lookup.resolver import Resolver
    from geocli.model.errors import Problems
    from geocli.model.record_batch import RecordBatch
    from geocli.storage.store.base import Store


class Lookup(Value):
    """The way of addresses that the settings name, open. ``cache`` is ``None`` where nothing is kept.

    ``known`` is what geocli knows, also then.
    """

    journal: Journal
    store: Store
    known: Cache
    cache: Cache | None
    resolver: Resolver
    pipeline: Pipeline


@contextmanager
def open_lookup(
    settings: Settings,
    problems: Problems,
    progress: Progress,
    *,
    render: Callable[[RecordBatch], bytes] = lambda _: b"",
    no_cache: bool = False,
    refresh: bool = False,
) -> Iterator[Lookup]:
    """Open journal and store, with the chain of providers behind them.

    ``render`` makes of records what is to be shown. ``refresh``: nothing that is known serves. Raises
    ``GeocliError``.
    """
    from geocli.lookup.cache import Cache  # an idle flush does without
    from geocli.lookup.pipeline import Pipeline
    from geocli.lookup.resolver import Resolver
    from geocli.providers.base import load_provider

    chain = [load_provider(name, settings) for name in dict.fromkeys(settings.provider)]
    with journal_and_store(settings) as (journal, store):
        if no_cache:
            note_closed_directory(settings, problems)
        known = Cache(journal, store, problems)
        cache = None if no_cache else known
        resolver = Resolver(chain, cache, settings, reporter(settings, problems, progress), refresh=refresh)
        pipeline = Pipeline(resolver, cache, lambda block, _: render(block), problems)
        yield Lookup(journal, store, known, cache, resolver, pipeline)


@contextmanager
def journal_and_store(settings: Settings) -> Iterator[tuple[Journal, Store]]:
    """Open both, and close them at the end. Neither is made before it is asked.

    Raises ``DamagedFileError`` when others than the user may have written them.
    """
    directory = settings.data_dir
    journal_directory = directory / "journal"
    check_trusted((directory, directory / "geo.db", journal_directory, journal_directory / "cache.db"))
    store = open_store(settings)
    try:
        with Journal(journal_directory, settings.busy_timeout) as journal:
            yield journal, store
    finally:
        store.close()


def note_closed_directory(settings: Settings, problems: Problems) -> None:
    """Note where downloaded databases cannot be looked for, and the embedded one answers in their place.

    For work that asks neither journal nor store.
    """
    if not settings.mmdb and (closed := closed_directory(settings.data_dir / "mmdb")) is not None:
        problems.note(closed)


@contextmanager
def open_history(
    settings: Settings, problems: Problems, progress: Progress, *, keeps_answers: bool = True
) -> Iterator[History]:
    """Open the history that these settings name, and the local databases of their chain behind it.

    Nobody on the network is asked about the past. What is looked up goes into the journal, unless
    ``keeps_answers`` is false. Raises ``GeocliError`` when it cannot be read.
    """
    from geocli.bans.history import History  # only then
    from geocli.bans.locator import Locator
    from geocli.lookup.cache import Cache
    from geocli.lookup.pipeline import Pipeline
    from geocli.lookup.resolver import Resolver
    from geocli.providers.base import load_provider

    chain = [load_provider(name, settings) for name in dict.fromkeys(settings.provider)]
    local = [provider for provider in chain if provider.local]
    with journal_and_store(settings) as (journal, store):
        cache = Cache(journal, store, problems)
        pipeline = None
        if local:
            resolver = Resolver(local, cache, settings, reporter(settings, problems, progress))
            pipeline = Pipeline(resolver, cache if keeps_answers else None, lambda *_: b"", problems)
        yield History(journal, store, Locator(pipeline, known=cache))


def say_if_empty(history: History, settings: Settings) -> None:
    """Say on a terminal that no ban is in the history. Raises ``GeocliError``."""
    if is_for_people(settings) and history.is_empty():
        say("no ban was recorded: geocli bans --record keeps those of now")


def host_name(settings: Settings, names: Sequence[str] | None) -> str:
    """What this machine is called in the history and among others: ``--host``, the setting, its own name.

    Raises ``UsageError``.
    """
    if names:
        from geocli.cli import options
        from geocli.config.parsers import parse_name

        if len(names) > 1:
            raise UsageError("--host is for --history, and once for --record and --prometheus")
        return options.parsed("--host", parse_name, names[0])
    if settings.host is not None:
        return settings.host
    import socket

    return clean_text(socket.gethostname()) or "localhost"


@contextmanager
def noting(problems: Problems) -> Iterator[None]:
    """Do a command's work: what ends it is noted; that nobody reads its output any more is no problem."""
    try:
        yield
    except ReaderGoneError:
        pass
    except GeocliError as error:
        problems.note(error)


def finish(problems: Problems, otherwise: ExitCode = ExitCode.OK) -> ExitCode:
    """Say what went wrong, a line each, and return the exit code; ``otherwise`` where nothing did."""
    for problem in problems:
        say(str(problem))
    return worst_of(problems) or otherwise
