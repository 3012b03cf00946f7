"""What ``geocli setup`` works on: this user or the machine, its changes, and the first run of its jobs."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geocli.cli.commands import cron_target
from geocli.cli.console import say, write_text
from geocli.config.explained import explain
from geocli.config.settings import Flags, config_path, own_data_dir
from geocli.cron import crontab_block, installation, jobs, systemd
from geocli.cron.crontab import Change, TableFile, UserCrontab, run
from geocli.cron.own_files import DataDirectory, owned_by_others
from geocli.model.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

    from geocli.cli.commands.setup import SetupOptions
    from geocli.config.settings import Settings
    from geocli.cron.crontab import Table
    from geocli.cron.installation import Places

_CRON_D = Path("/etc/cron.d/geocli")
_SYSTEM_UNITS = Path("/etc/systemd/system")
MACHINE_DATA = Path("/var/lib/geocli")
_DAEMONS = ("cron", "crond", "busybox")
_DAEMON_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_EACH_MINUTE = 60
_PATIENCE = 900  # seconds: a database is downloaded


class Target(NamedTuple):
    """The machine or a user. ``options`` are those that find the data directory from anywhere."""

    system: bool
    places: Places
    data_dir: Path
    program: list[str]
    options: list[str]

    @property
    def units(self) -> Path:
        """The directory of systemd's units."""
        return _SYSTEM_UNITS if self.system else _user_units()

    def changes(self, choice: SetupOptions) -> list[Change]:
        """Return what is to be changed, also what is as it should be. Raises ``GeocliError``."""
        directory = DataDirectory(self.data_dir)
        before = directory.read()
        reader = b"group %d" % _group_id(choice.group) if choice.group else before or b"owner"
        found = [
            Change(directory, before, reader),
            self._config(),
            installation.program_change(self.places, self.program),
            installation.action_change(self.places, self.program[0], self.data_dir)
            if choice.record
            else None,
            *installation.share_changes(self.places),
            *self._jobs(choice),
        ]
        return [change for change in found if change is not None]

    def make(self, changes: Sequence[Change]) -> None:
        """Change it. Raises ``GeocliError``; ``geocli setup --remove`` undoes what was changed till then."""
        for change in changes:
            change.make()
        units = [change for change in changes if _is_unit(change)]
        if units:
            systemd.reload(units, system=self.system)

    def first_run(self, choice: SetupOptions) -> int:
        """Run each job once, without waiting for its time; the worst exit code. What goes wrong is said.

        A job that cannot do its work now (fail2ban does not run yet) may do it later: that is 75, not 2.
        """
        first = [["db", "update"]] if choice.update else []
        if choice.record:
            first.append(["bans", "--client", "--record"])
        first.append(["flush"])
        if choice.report is not None:
            first.append(
                ["report", *(["--client"] if choice.record else []), "-o", str(choice.report.absolute())]
            )
        codes = {self._run([*self.options, *arguments]) for arguments in first}
        return max(ExitCode.TRY_AGAIN if code == ExitCode.USAGE else code for code in codes)

    def answer(self, address: str) -> int:
        """Print what geocli says about an address when it is called as people will."""
        return self._run([address])

    def _run(self, arguments: list[str]) -> int:
        done = run([*self.program, *arguments], _PATIENCE)
        write_text(done.stdout.decode("utf-8", "replace"))
        for line in done.stderr.decode("utf-8", "replace").splitlines():
            say(line.removeprefix("geocli: "))
        return done.returncode if done.returncode in set(ExitCode) else ExitCode.TRY_AGAIN

    def _config(self) -> Change | None:
        if not self.system and self.data_dir == own_data_dir():
            return None
        return installation.config_change(self.places, self.data_dir)

    def _jobs(self, choice: SetupOptions) -> list[Change]:
        report = cron_target.place_for_report(choice.report)
        if choice.jobs == "none" and report is not None:
            raise UsageError("--report needs cron or systemd: a job writes it each night")
        if choice.jobs == "none":
            return []
        wanted = jobs.jobs_of(
            jobs.JobOptions(
                update=bool(choice.update),
                record=bool(choice.record),
                report=report,
                record_every=_EACH_MINUTE,
            ),
            jobs.host_identity(),
        )
        command, user = [*self.program, *self.options], "root" if self.system else None
        if choice.jobs == "systemd":
            return systemd.unit_changes(self.units, systemd.units(wanted, command, user))
        table: Table = TableFile(_CRON_D) if self.system else UserCrontab()
        before = table.read()
        lines = [jobs.cron_line(job, command, user) for job in wanted]
        return [Change(table, before, crontab_block.install(before, lines))]


def target_of(ctx: typer.Context, settings: Settings, choice: SetupOptions) -> Target:
    """Return what is set up. Raises ``UsageError`` where root would run what others may change."""
    program = cron_target.program_of_jobs()
    row = next(row for row in explain(cron_target.flags_of(ctx), os.environ) if row.setting == "data_dir")
    data_dir = settings.data_dir
    if choice.system:
        if row.origin == "default":
            data_dir = MACHINE_DATA
        if other := owned_by_others(program[0]):
            raise UsageError(
                f"root's jobs would run {program[0]}, and others than root may change {other}: install geocli"
                " as root"
            )
    elif row.origin == "file" and not os.access(data_dir, os.W_OK):
        raise UsageError(f"the machine has one memory, {data_dir}: --data-dir DIR makes one of your own")
    settings = settings.replace(data_dir=data_dir)
    options = cron_target.global_options(ctx, settings, "root" if choice.system else None)
    return Target(choice.system, _places(system=choice.system), data_dir, program, options)


def scheduler(*, system: bool) -> str:
    """Return who can run jobs here: ``cron``, ``systemd`` or ``none``."""
    if system:
        has_cron = _CRON_D.parent.is_dir() and any(
            shutil.which(name, path=_DAEMON_PATH) for name in _DAEMONS[:2]
        )
    else:
        has_cron = shutil.which("crontab", path=f"{os.defpath}:{_DAEMON_PATH}") is not None
    if has_cron:
        return "cron"
    return "systemd" if Path("/run/systemd/system").is_dir() else "none"


def removals() -> tuple[list[Change], list[Change]]:
    """Return what takes out all there is, and which of it are units of systemd's. Raises ``GeocliError``."""
    tables: list[Table] = []
    with suppress(UsageError):  # without a cron there is nothing in it
        tables.append(UserCrontab())
    changes = installation.removals(_places(system=False), tables)
    units = systemd.unit_changes(_user_units(), {})
    if os.geteuid() == 0:
        changes += installation.removals(installation.MACHINE, [TableFile(_CRON_D)])
        units += systemd.unit_changes(_SYSTEM_UNITS, {})
    return [*changes, *units], units


def unmake(changes: Sequence[Change], units: Sequence[Change]) -> None:
    """Take it out. Raises ``GeocliError``."""
    for system, directory in ((True, _SYSTEM_UNITS), (False, _user_units())):
        ours = [unit for unit in units if unit.is_one and Path(unit.table.name).parent == directory]
        if ours:
            systemd.stop(ours, system=system)
            for unit in ours:
                unit.make()
            systemd.reload(ours, system=system)
    for change in changes:
        if not _is_unit(change):
            change.make()


def other_memories(used: Path) -> list[Path]:
    """Return other data directories that hold something: one's own, the machine's, of who called ``sudo``."""
    directories = [own_data_dir(), MACHINE_DATA]
    if caller := os.environ.get("SUDO_USER"):
        with suppress(KeyError):
            directories.append(Path(pwd.getpwnam(caller).pw_dir) / ".local" / "share" / "geocli")
    return [path for path in installation.memories(directories) if path != used]


def join_hint(other: Path, used: Path) -> str:
    """Return a sentence about another memory, and how to join it with the one that is used."""
    source, target = other / "geo.db", used / "geo.db"
    return f"{other} is another memory: geocli store copy {source} {target} takes it along"


def _places(*, system: bool) -> Places:
    if system:
        return installation.MACHINE
    try:
        return installation.home_places(Path.home(), config_path(Flags(), {}))
    except RuntimeError:
        raise UsageError("you have no home directory") from None


def _user_units() -> Path:
    config = config_path(Flags(), {"XDG_CONFIG_HOME": os.environ.get("XDG_CONFIG_HOME", "")})
    return config.parent.parent / "systemd" / "user"


def _is_unit(change: Change) -> bool:
    return change.table.name.endswith((".service", ".timer"))


def _group_id(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except (KeyError, ValueError):
        raise UsageError(f"no group is called {ascii(name)}: groupadd --system makes one") from None
