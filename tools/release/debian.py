"""The Debian package: geocli with its libraries in a directory of its own, run by the system's Python.

Debian's own Typer is too old and sqlite-utils is not in it, so the package brings them, where nothing else
sees them: ``/usr/lib/geocli``.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_LIBRARY = Path("usr/lib/geocli")
_PROGRAM = """\
#!/usr/bin/python3 -I
import sys

sys.path.insert(0, "/usr/lib/geocli")

from geocli.__main__ import main

main()
"""
_CONTROL = """\
Package: geocli
Version: {version}
Architecture: {architecture}
Maintainer: geocli maintainers <maintainers@geocli.example>
Installed-Size: {kilobytes}
Depends: python3 (>= 3.11), ca-certificates
Recommends: man-db
Suggests: fail2ban, cron
Section: net
Priority: optional
Homepage: https://geocli.example
Description: who is attacking me, and from where
 Turns IP addresses into country, AS and organisation, offline: one, a pipe full,
 a whole ban list of fail2ban. Remembers every answer, and the bans.
"""
# Root's first run would write what Python compiles beside the sources: it is made here, and goes with them.
_POSTINST = """\
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    python3 -I -m compileall -q /usr/lib/geocli || true
fi
"""
_PRERM = """\
#!/bin/sh
set -e
find /usr/lib/geocli -name __pycache__ -type d -prune -exec rm -rf {} +
"""
_SHARE = {
    "man/man1/geocli.1": "man/man1/geocli.1",
    "bash-completion/completions/geocli": "bash-completion/completions/geocli",
    "zsh/site-functions/_geocli": "zsh/vendor-completions/_geocli",
    "fish/vendor_completions.d/geocli.fish": "fish/vendor_completions.d/geocli.fish",
}
"""Files of the wheel's ``share``, and where Debian has them."""


def build(tree: Path, output: Path, architecture: str, version: str) -> Path:
    """Make the package for a processor out of an unpacked tree, and return it."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place, "root")
        library = root / _LIBRARY
        shutil.copytree(tree, library, ignore=shutil.ignore_patterns("share"))
        for name, debian_name in _SHARE.items():
            _write(root / "usr/share" / debian_name, (tree / "share" / name).read_bytes())
        manual = root / "usr/share/man/man1/geocli.1"
        _write(manual.with_suffix(".1.gz"), gzip.compress(manual.read_bytes(), 9, mtime=0))
        manual.unlink()
        _write(root / "usr/share/doc/geocli/copyright", _copyright(tree))
        _write(root / "usr/bin/geocli", _PROGRAM.encode(), 0o755)
        control = _CONTROL.format(
            version=version,
            architecture=architecture,
            kilobytes=sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) // 1024,
        )
        _write(root / "DEBIAN/control", control.encode())
        _write(root / "DEBIAN/postinst", _POSTINST.encode(), 0o755)
        _write(root / "DEBIAN/prerm", _PRERM.encode(), 0o755)
        date = int(os.environ["SOURCE_DATE_EPOCH"])
        for path in [root, *root.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)
            os.utime(path, (date, date))
        package = output / f"geocli_{version}_{architecture}.deb"
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(package)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return package


def _copyright(tree: Path) -> bytes:
    """Return the licences of geocli, its data and its libraries, one after the other."""
    files = sorted(
        path
        for path in tree.rglob("*")
        if path.is_file()
        and (
            path.name.endswith(".licence.txt")
            or path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING"))
        )
        and path.suffix != ".py"
    )
    return b"".join(
        f"== {path.relative_to(tree)}\n\n".encode() + path.read_bytes() + b"\n\n" for path in files
    )


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
