"""geocli within this process, where a test is about detail and need not pay for a start."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from geocli.cli.app import run
from geocli.providers.online import client


@dataclass(frozen=True)
class Done:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def statuses(self) -> list[str]:
        return [record["status"] for record in self.records]

    @property
    def complaints(self) -> list[str]:
        """Lines of stderr, without the notice that a source is asked over plain HTTP."""
        lines = self.err.splitlines()
        assert all(line.startswith("geocli: ") and line.isprintable() for line in lines), self.err
        return [line for line in lines if "over plain HTTP" not in line]


@dataclass(frozen=True)
class Here:
    """Runs command lines; ``environment`` is all that is set of GEOCLI_*."""

    data_dir: Path
    monkeypatch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def __call__(
        self, *arguments: str, targets: Sequence[str] = (), environment: dict[str, str] | None = None
    ) -> Done:
        with self.monkeypatch.context() as patch:
            for name in [
                name for name in os.environ if name.startswith("GEOCLI_") or "proxy" in name.lower()
            ]:
                patch.delenv(name)
            patch.setenv("HOME", str(self.data_dir.parent))
            patch.setenv("GEOCLI_DATA_DIR", str(self.data_dir))
            for name, value in (environment or {}).items():
                patch.setenv(name, value)
            if targets:
                file = self.data_dir.parent / "targets"
                file.write_text("\n".join(targets))
                arguments = (*arguments, "-i", str(file))
            self.capture.readouterr()
            code = run(list(arguments))
        out, err = self.capture.readouterr()
        return Done(code, out, err)


@pytest.fixture
def here(data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """A function that runs a command line in this process, trying again without much delay."""
    monkeypatch.setattr(client, "_BACK_OFF", 0.01)
    return Here(data_dir, monkeypatch, capsys)
