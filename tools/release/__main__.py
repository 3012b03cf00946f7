"""Builds a release into ``dist/``: sdist, wheel, Debian packages, a zipapp, and what is inside (SBOM).

The same commit gives the same bytes: every time in them is the commit's, and every library is the one that
``requirements.txt`` names by its hash.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from geocli import __version__
from tools.release import debian
from tools.release.tree import ARCHITECTURES, download, unpack

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def main() -> None:
    """Build everything, check it, and print the hashes."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    output: Path = parser.parse_args().output.absolute()
    os.environ.setdefault("SOURCE_DATE_EPOCH", commit_time())
    os.umask(0o022)
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    build(output)
    check(output)
    sums = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(output.iterdir())
    )
    (output / "SHA256SUMS").write_text(sums)
    sys.stdout.write(sums)


def build(output: Path) -> None:
    """Build all files of a release into a directory."""
    run("-m", "build", "--no-isolation", "--outdir", str(output), str(ROOT))
    (wheel,) = output.glob("*.whl")
    with tempfile.TemporaryDirectory() as place:
        wheels = Path(place, "wheels")
        for architecture in ARCHITECTURES:
            download(REQUIREMENTS, wheels / architecture, architecture)
            tree = Path(place, architecture)
            unpack([wheel, *(wheels / architecture).glob("*.whl")], tree)
            debian.build(tree, output, architecture, __version__)
        tree = Path(place, "all")
        unpack([wheel, *wheels.glob("*/*.whl")], tree)
        zipapp(tree, output / f"geocli-{__version__}.pyz")
    sbom(output / f"geocli-{__version__}.cdx.json")


def zipapp(tree: Path, target: Path) -> None:
    """Pack a tree into one file that Python runs: it unpacks itself into ``~/.shiv`` when it runs first."""
    entry = ("--entry-point", "geocli.__main__:main", "--python", "/usr/bin/env python3")
    run(
        "-m", "shiv.cli", "--site-packages", str(tree), *entry, "--reproducible", "--compressed",
        "--output-file", str(target),
    )  # fmt: skip


def sbom(target: Path) -> None:
    """Write the list of all libraries in it, as CycloneDX."""
    run(
        "-m", "cyclonedx_py", "requirements", str(REQUIREMENTS), "--pyproject", str(ROOT / "pyproject.toml"),
        "--output-reproducible", "--short-PURLs", "--output-file", str(target),
    )  # fmt: skip


def check(output: Path) -> None:
    """See that an index takes the files, and say what is not set yet."""
    run("-m", "twine", "check", "--strict", *map(str, [*output.glob("*.whl"), *output.glob("*.tar.gz")]))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if any(url.split("/")[2].endswith(".example") for url in project["urls"].values()):
        sys.stderr.write("[project.urls] has no real address yet: set it before you upload\n")


def commit_time() -> str:
    """Return when the commit was made that is built, in seconds since the epoch."""
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def run(*arguments: str) -> None:
    """Run a Python module or script; what it prints is shown when it fails."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments[:3])}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
