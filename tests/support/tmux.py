"""A real terminal emulator: what is on its screen when a command is done, line by line, as people see it."""

from __future__ import annotations

import shlex
import subprocess
import time
from pathlib import Path

from tests.conftest import Geocli, need
from tests.support.waiting import wait_until

_SETTINGS = "set -g history-limit 100000\nset -g status off\n"
# What ends while its window is drawn may lose its last lines: nothing does until it is read.
_END = "(this was the end)"


def on_screen(geocli: Geocli, command: str, columns: int, directory: Path) -> list[str]:
    """Run a command of the shell in a window of that many columns; the lines that it left.

    ``geocli`` in the command is geocli. A line that is too long for the window is two.
    """
    tmux = need("tmux")
    # One server a screen: one that is about to end takes no more.
    settings, socket = directory / "tmux.conf", directory / f"tmux-{time.monotonic_ns()}"
    settings.write_text(_SETTINGS)
    script = directory / "script"
    script.write_text(
        f"geocli() {{ {shlex.join(geocli.command)} \"$@\"; }}\n{command}\necho '{_END}'\nexec sleep 600\n"
    )
    server = [tmux, "-S", str(socket), "-f", str(settings)]
    env = geocli.env | {"TERM": "xterm-256color", "LANG": "C.UTF-8"}

    def ask(*arguments: str) -> str:
        done = subprocess.run([*server, *arguments], env=env, capture_output=True, text=True, check=True)
        return done.stdout

    def lines() -> list[str]:
        return ask("capture-pane", "-p", "-S", "-").rstrip("\n").split("\n")

    size = ("-x", str(columns), "-y", "50")
    ask("new-session", "-d", *size, "-c", str(directory), f"bash {shlex.quote(str(script))}")
    try:
        wait_until(lambda: _END in ask("capture-pane", "-p"))
        found = lines()
    finally:
        subprocess.run([*server, "kill-server"], env=env, capture_output=True, check=False)
    return found[: found.index(_END)]
