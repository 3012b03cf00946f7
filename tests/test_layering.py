"""Who may import whom: the levels of the house, and one door for each heavy library."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

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
    "backports": {"geocli.inputs.compression"},
    "resvg_py": {"geocli.output.report.png"},
}
NEVER = {"pickle", "shelve", "dill", "yaml", "click"}
# From Python 3.14 on, what cannot be looked at is absent for them.
DOUBTFUL = {"exists", "is_dir", "is_file"}
EVALUATES = {"eval", "exec", "compile"}
TALKS = {"print", "exit", "input"}
OF_THE_PROCESS = {"os.environ", "os.getenv", "sys.exit", "sys.stdout", "sys.stderr"}


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imports(path: Path) -> set[str]:
    """All modules that a file imports, wherever in it, also for types only."""
    found = set()
    for node in nodes(path):
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


def imported_at_start(path: Path) -> set[str]:
    """The modules of geocli that are imported as soon as a file is, with the packages they are in."""
    found: set[str] = set()
    waiting = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If):
            waiting += node.orelse if "TYPE_CHECKING" in ast.dump(node.test) else [*node.body, *node.orelse]
        elif isinstance(node, ast.Try):
            waiting += node.body
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = [name.split(".") for name in found]
    return {".".join(part[:size]) for part in parts for size in range(2, len(part) + 1)} & MODULES.keys()


def test_no_module_imports_itself_by_way_of_others() -> None:
    imports_of = {module: imported_at_start(path) - {module} for module, path in MODULES.items()}
    while free := {module for module, needed in imports_of.items() if not needed & imports_of.keys()}:
        for module in free:
            del imports_of[module]
    assert not imports_of, f"a circle, or on the way to one: {sorted(imports_of)}"


def test_no_command_is_longer_than_a_page_or_takes_more_than_fifteen_parameters() -> None:
    """Options that travel together are one value: ``option_groups``."""
    long = [
        f"{module}.{node.name}: {lines} lines, {parameters} parameters"
        for module, path in MODULES.items()
        if module.startswith("geocli.cli.")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        for lines in ((node.end_lineno or 0) - node.lineno + 1,)
        for parameters in (len(node.args.args) + len(node.args.kwonlyargs),)
        if lines > 60 or parameters > 15
    ]
    assert not long, "\n".join(long)


def test_a_heavy_library_has_one_door() -> None:
    wrong = [
        f"{door} imports {library}"
        for library, homes in HEAVY.items()
        for door, path in MODULES.items()
        if any(name.split(".")[0] == library for name in imports(path))
        and not any(door == home or door.startswith(f"{home}.") for home in homes)
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_imports_what_executes_data() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, path in MODULES.items()
        for name in imports(path)
        if name.split(".")[0] in NEVER
    ]
    assert not wrong, "\n".join(wrong)


def called(module: str) -> Iterator[tuple[str, str]]:
    """The names of functions that a module calls, and where."""
    for node in nodes(MODULES[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, f"{module}:{node.lineno}: {node.func.id}"


def test_nothing_evaluates_text() -> None:
    wrong = [place for module in MODULES for name, place in called(module) if name in EVALUATES]
    assert not wrong, "\n".join(wrong)


def test_only_commands_print_exit_or_read_the_environment() -> None:
    below = [module for module in MODULES if folder(module) not in {"", "cli"}]
    wrong = [place for module in below for name, place in called(module) if name in TALKS]
    wrong += [
        f"{module}:{node.lineno}: {node.value.id}.{node.attr}"
        for module in below
        for node in nodes(MODULES[module])
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and f"{node.value.id}.{node.attr}" in OF_THE_PROCESS
    ]
    assert not wrong, "\n".join(wrong)


def test_what_is_there_is_asked_of_presence_where_data_is_kept() -> None:
    lenient = {
        "geocli.system.spill",
        "geocli.system.row_file",
        "geocli.system.ownership",
    }  # do without as well
    wrong = [
        f"{path}:{node.lineno} {node.func.attr}"
        for module, path in MODULES.items()
        if folder(module) in {"storage", "system"} and module not in lenient
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in DOUBTFUL
    ]
    assert not wrong, "\n".join(wrong)
