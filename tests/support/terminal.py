"""geocli on a terminal: stdin, stdout and stderr are pseudo-terminals, as in a shell."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import termios
import threading
from typing import NamedTuple

from tests.conftest import Geocli

# It hides the cursor, and shows it again before it takes its line back.
_BAR = re.compile(r"(?s)\x1b\[\?25l.*?\x1b\[\?25h(?:\r|\n|\x1b\[1A|\x1b\[2K)*")


class Shown(NamedTuple):
    """What a terminal got, lines ended by a line feed alone."""

    code: int
    out: str
    err: str


class _Screen:
    """One pseudo-terminal, read to its end."""

    def __init__(self) -> None:
        self._own, self.theirs = pty.openpty()
        attributes = termios.tcgetattr(self.theirs)
        attributes[1] &= ~termios.OPOST  # line feeds stay as they are
        termios.tcsetattr(self.theirs, termios.TCSANOW, attributes)
        self._parts: list[bytes] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                part = os.read(self._own, 1 << 16)
            except OSError:  # Linux says EIO when nobody has the other end any more
                return
            if not part:
                return
            self._parts.append(part)

    def text(self, encoding: str) -> str:
        """All that was shown; nothing more can be."""
        os.close(self.theirs)
        self._reader.join()
        os.close(self._own)
        return b"".join(self._parts).decode(encoding, "surrogateescape")


def on_terminal(
    geocli: Geocli,
    *arguments: str,
    stdin: str | None = None,
    stdout: bool = True,
    stderr: bool = True,
    columns: int = 100,
    timeout: float = 60,
    encoding: str = "utf-8",
    bar: bool = False,
) -> Shown:
    """Run to the end, with stdout or stderr in a pipe where they are no terminal, and ``stdin`` too.

    Without ``bar``, a bar of progress is left out of what was shown: one comes on a machine that is busy.
    """
    screens = [_Screen() if shown else None for shown in (stdout, stderr)]
    out, err = (subprocess.PIPE if screen is None else screen.theirs for screen in screens)
    done = subprocess.run(
        [*geocli.command, *arguments],
        input=b"" if stdin is None else stdin.encode(),
        stdout=out,
        stderr=err,
        env=geocli.env
        | {"TERM": "xterm", "COLUMNS": str(columns)}
        | ({"PYTHONIOENCODING": encoding} if encoding != "utf-8" else {}),
        timeout=timeout,
        check=False,
    )
    texts = [
        (piped or b"").decode("utf-8", "surrogateescape") if screen is None else screen.text(encoding)
        for screen, piped in zip(screens, (done.stdout, done.stderr), strict=True)
    ]
    if not bar:
        texts[1] = _BAR.sub("", texts[1])
    return Shown(done.returncode, *texts)
