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

# A folder imports only from those below it: the table of contents of the house, from the roof down.
FOLDERS = (
    "cli",
    "output",
    "bans",
    "lookup",
    "storage",
    "providers",
    "mmdb",
    "cron",
    "inputs",
    "config",
    "system",
    "model",
)
HEAVY = {
    "typer": {"geocli.cli"},
    "rich": {"geocli.output.formats.table", "geocli.cli.progress"},
    "diskcache": {"geocli.storage.journal.writer"},
    "sqlite_utils": {"geocli.storage.store.migrations"},
    "maxminddb": {"geocli.mmdb.reader"},
    "platformdirs": {"geocli.config.settings"},
    "httpx": {"geocli.system.http"},
    "jinja2": {"geocli.output.report.page"},
    "psycopg": {"geocli.storage.store.postgres"},
    "resvg_py": {"geocli.output.report.png"},
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


def folder(module: str) -> str:
    """The folder of a module right below ``geocli``; empty for ``geocli`` and ``geocli.__main__``."""
    return module.split(".")[1] if module.count(".") and module != "geocli.__main__" else ""


def test_every_folder_has_its_place() -> None:
    assert {folder(module) for module in MODULES} - {""} == set(FOLDERS)


def test_a_folder_imports_only_from_those_below_it() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, path in MODULES.items()
        if folder(module)
        for imported in imports(path)
        if imported.startswith("geocli.") and FOLDERS.index(folder(imported)) < FOLDERS.index(folder(module))
    ]
    assert not wrong, "\n".join(sorted(wrong))


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


@pytest.mark.parametrize("module", sorted(module for module in MODULES if folder(module) not in {"", "cli"}))
def test_only_commands_print_exit_or_read_the_environment(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "exit", "input"}, f"{module}:{node.lineno}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in {
                ("os", "environ"), ("os", "getenv"), ("sys", "exit"), ("sys", "stdout"), ("sys", "stderr"),
            }, f"{module}:{node.lineno}"  # fmt: skip
