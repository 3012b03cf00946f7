"""A release: the same bytes twice, all that is promised in it, and each way in and out of a bare Debian."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from geocli import __version__
from tests.support.bare_tree import CACHE, SUITES, bare_tree, run_in
from tools.release.tree import download

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "tools" / "release" / "requirements.txt"
INSTALL_PAGE = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")

pytestmark = [pytest.mark.slow, pytest.mark.in_order]


BUILDERS = ("build", "cyclonedx_py", "hatchling", "hatch_fancy_pypi_readme", "shiv", "twine")


@pytest.fixture(scope="module", autouse=True)
def builders() -> None:
    """What ``geocli[release]`` installs: without it there is nothing to build with."""
    missing = [name for name in BUILDERS if importlib.util.find_spec(name) is None]
    if missing and not os.environ.get("GEOCLI_TEST_NO_SKIPS"):
        pytest.skip(f"not installed: {', '.join(missing)}")
    assert not missing


def build(output: Path) -> str:
    """Build a release and return its list of hashes."""
    command = [sys.executable, "-m", "tools.release", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return (output / "SHA256SUMS").read_text()


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release, with the wheels that an index would have beside it, and uv."""
    place = tmp_path_factory.mktemp("release")
    build(place)
    wheels = place / "wheels"
    kept = CACHE / "wheels"
    download(REQUIREMENTS, kept, "amd64")
    tools = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", str(kept)]
    subprocess.run([*tools, "pip", "setuptools", "wheel", "packaging"], check=True, capture_output=True)
    shutil.copytree(kept, wheels)
    shutil.copy(next(place.glob("*.whl")), wheels)
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin")
    assert uv is not None
    shutil.copy(uv, place / "uv")
    return place


def test_two_builds_have_the_same_bytes(release: Path, tmp_path: Path) -> None:
    assert build(tmp_path / "again") == (release / "SHA256SUMS").read_text()


def test_the_files_of_a_release(release: Path) -> None:
    names = {line.split()[1] for line in (release / "SHA256SUMS").read_text().splitlines()}
    assert names == {
        f"geocli-{__version__}-py3-none-any.whl",
        f"geocli-{__version__}.tar.gz",
        f"geocli-{__version__}.pyz",
        f"geocli-{__version__}.cdx.json",
        f"geocli_{__version__}_amd64.deb",
        f"geocli_{__version__}_arm64.deb",
    }


def test_the_wheel_has_each_licence_and_the_manual_once(release: Path) -> None:
    with zipfile.ZipFile(next(release.glob("*.whl"))) as wheel:
        files = [Path(name) for name in wheel.namelist() if not name.endswith("/")]
        metadata = wheel.read(f"geocli-{__version__}.dist-info/METADATA").decode()
    names = [file.name for file in files]
    for name in ("LICENSE", "geocli.1", "geocli.conf", "world.licence.txt", "_geocli"):
        assert names.count(name) == 1, name
    assert not any({"tests", "tools"}.intersection(file.parts) for file in files)
    # On an index's page there are no files to link to.
    links = re.findall(r"\]\(([^)]+)\)", metadata.partition("\n\n")[2])
    assert len(links) > 20
    assert all(link.startswith(("https://", "#")) for link in links)


def test_the_sdist_can_be_tested(release: Path) -> None:
    with tarfile.open(next(release.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {
        "README.md",
        "docs/install.md",
        "tests/conftest.py",
        "geocli/data/geocli.1",
        "cron.example",
    } <= names


def test_the_list_of_what_is_inside_has_all_libraries(release: Path) -> None:
    document = json.loads(next(release.glob("*.cdx.json")).read_text())
    found = {(one["name"], one["version"]) for one in document["components"]}
    pinned = re.findall(r"^([\w-]+)==(\S+)", REQUIREMENTS.read_text(), re.M)
    assert found == set(pinned)
    assert document["metadata"]["component"]["name"] == "geocli"


def test_the_container_file_is_clean() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    file = ROOT / "tools" / "release" / "Containerfile"
    done = subprocess.run([linter, file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


# --- ways in and out ----------------------------------------------------------------------------------

ANSWER = 'test "$(geocli -f country_code,asn 8.8.8.8)" = "US\t15169"'
SET_UP = "geocli setup --yes --jobs none --no-update --no-record > /dev/null"
TAKE_OUT = "geocli setup --remove > /dev/null"
LOOK = """
man -w geocli > /dev/null
. /usr/share/bash-completion/bash_completion
_comp_load geocli 2> /dev/null || __load_completion geocli
COMP_WORDS=(geocli flu) COMP_CWORD=1
_geocli_completion geocli
test "${COMPREPLY[*]}" = flush
"""
WAYS = ("pipx", "uv", "venv", "deb", "zipapp")


def lines(way: str) -> tuple[str, str]:
    """Return the line in and the line out that the page on installation has for a way."""
    row = re.search(rf"^\| {way} \| `([^|]+)` \| `([^|]+)` \|", INSTALL_PAGE, re.M)
    assert row is not None, way
    return row[1], row[2]


LEFT = r"""
    /(proc|dev|release|tmp|run)(/.*)?
  | /root(/\.local(/(bin|share(/man(/man1)?)?|state))?|/\.config)?   # directories made on the way
  | /root/\.local/share/geocli(/.*)?                      # the data
  | /root/\.cache(/.*)?                                   # pip's, uv's
  | /root/\.local/(share/|state/)?(pipx|uv)(/.*)?         # their own: logs, libraries that all tools share
  | /var/(cache|log|lib/dpkg)(/.*)?
  | .*/__pycache__(/.*)?                                  # of Python's own library
"""


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("way", WAYS)
def test_a_way_in_and_out_of_a_bare_debian(release: Path, way: str, suite: str) -> None:
    line_in, line_out = lines(way)
    with_setup = way != "deb"
    output = run_in(
        bare_tree(suite),
        release,
        f"""
        cd /release; install uv /usr/local/bin/uv
        find / -xdev > /tmp/before
        {{ {line_in}; }} > /tmp/log 2>&1 || {{ cat /tmp/log; exit 1; }}
        cd /; hash -r
        {ANSWER}
        {SET_UP if with_setup else ""}
        ( {LOOK} )
        {TAKE_OUT if with_setup else ""}
        {{ {line_out}; }} >> /tmp/log 2>&1 || {{ cat /tmp/log; exit 1; }}
        hash -r
        ! command -v geocli
        find / -xdev | sort > /tmp/after
        sort /tmp/before | comm -13 - /tmp/after
        """,
    )
    left = [name for name in output.splitlines() if not re.fullmatch(LEFT, name, re.X)]
    assert left == [], left
