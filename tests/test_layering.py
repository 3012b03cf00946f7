"""Who may import whom: the levels of the house, and one door for each heavy library."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "geocli"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}

# A module imports only from levels below its own, or from its own package.
LEVELS = [
    {"geocli", "geocli.errors"},
    {"geocli.ownership", "geocli.records", "geocli.values"},
    {"geocli.store_url"},
    {"geocli.configuration"},
    {
        "geocli.addresses",
        "geocli.block",
        "geocli.countries",
        "geocli.http",
        "geocli.reporter",
        "geocli.seen",
        "geocli.settings",
        "geocli.sqlite_file",
    },
    {"geocli.answers", "geocli.in_text"},
    {"geocli.bans"},
    {"geocli.inputs", "geocli.mmdb", "geocli.online", "geocli.formats", "geocli.journal", "geocli.store"},
    {"geocli.providers", "geocli.publishers"},
    {"geocli.fetching"},
    {
        "geocli.cache",
        "geocli.copying",
        "geocli.cron",
        "geocli.flush",
        "geocli.refresh",
        "geocli.reports",
        "geocli.update",
    },
    {"geocli.forget", "geocli.prometheus", "geocli.resolve", "geocli.workers"},
    {"geocli.pipeline", "geocli.grouping", "geocli.annotate", "geocli.counting"},
    {"geocli.banned"},
    {"geocli.history", "geocli.recording"},
    {"geocli.timeline"},
    {"geocli.picture"},
    {"geocli.report"},
    {"geocli.commands"},
    {"geocli.cli"},
    {"geocli.__main__", "geocli.manpage"},
]
HEAVY = {
    "typer": {"geocli.cli", "geocli.commands"},
    "rich": {"geocli.formats.table", "geocli.commands._progress"},
    "diskcache": {"geocli.journal.writer"},
    "sqlite_utils": {"geocli.store.migrations"},
    "maxminddb": {"geocli.mmdb.file"},
    "mmdb_writer": {"geocli.mmdb.build"},
    "netaddr": {"geocli.mmdb.build"},
    "iso3166": {"geocli.countries", "geocli.report.build_world"},  # which no command imports
    "platformdirs": {"geocli.settings"},
    "httpx": {"geocli.http"},
    "jinja2": {"geocli.report.page"},
    "psycopg": {"geocli.store.postgres"},
    "resvg_py": {"geocli.report.image"},
}
NEVER = {"pickle", "shelve", "dill", "yaml", "click"}


def imports(path: Path) -> set[str]:
    """All modules that a file imports, wherever in it, also for types only."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


def level(module: str) -> int:
    for number, names in enumerate(LEVELS):
        if module in names or any(module.startswith(f"{name}.") for name in names if name != "geocli"):
            return number
    raise AssertionError(f"{module} has no level: say where it belongs")


def home(module: str) -> str:
    """The package of a module right below ``geocli``."""
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_from_below(module: str) -> None:
    for imported in imports(MODULES[module]):
        if imported.startswith("geocli") and home(imported) != home(module):
            # Contracts name the settings and results that travel through them; that is a type, not a way up.
            assert level(imported) < level(module), f"{module} imports {imported}"


@pytest.mark.parametrize("library", sorted(HEAVY))
def test_a_heavy_library_has_one_door(library: str) -> None:
    doors = {
        module for module, path in MODULES.items() if any(i.split(".")[0] == library for i in imports(path))
    }
    assert all(
        any(door == home_ or door.startswith(f"{home_}.") for home_ in HEAVY[library]) for door in doors
    ), doors


@pytest.mark.parametrize("module", sorted(MODULES))
def test_nothing_imports_what_executes_data(module: str) -> None:
    assert not {name.split(".")[0] for name in imports(MODULES[module])} & NEVER


@pytest.mark.parametrize("module", sorted(MODULES))
def test_nothing_evaluates_text(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec", "compile"}, f"{module}:{node.lineno}"


@pytest.mark.parametrize(
    "module", sorted(module for module in MODULES if level(module) < level("geocli.commands"))
)
def test_only_commands_print_exit_or_read_the_environment(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "exit", "input"}, f"{module}:{node.lineno}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in {
                ("os", "environ"), ("os", "getenv"), ("sys", "exit"), ("sys", "stdout"), ("sys", "stderr"),
            }, f"{module}:{node.lineno}"  # fmt: skip
