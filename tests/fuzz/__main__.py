"""Fuzzes one target, or all in turn: with atheris where it is installed, else without coverage."""

from __future__ import annotations

import argparse
import importlib
import random
import re
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

_NAMES = ("addresses", "bans", "ip_api", "country_is", "ipinfo", "segment", "layout")
_LONGEST = 4096  # bytes of an input


def main() -> None:
    """Exit with 1 if there is any finding; the input is in the message, or in a file that it names."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", nargs="?", choices=_NAMES, help="default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-atheris", action="store_true")
    options = parser.parse_args()
    if options.target is None:
        # atheris ends the process: each target has one of its own.
        rest = ["--seconds", str(options.seconds), "--seed", str(options.seed)]
        rest += ["--without-atheris"] if options.without_atheris else []
        command = [sys.executable, "-m", "tests.fuzz"]
        codes = [subprocess.run([*command, name, *rest], check=False).returncode for name in _NAMES]
        sys.exit(any(codes))
    if find_spec("atheris") and not options.without_atheris:
        _guided(options.target, options.seconds, options.seed)
    else:
        _blind(options.target, options.seconds, options.seed)


def _guided(name: str, seconds: int, seed: int) -> None:
    """libFuzzer's mutations, led by the coverage of geocli's code."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["geocli", "json"]):
        targets = importlib.import_module("tests.fuzz.targets")
    seeds = importlib.import_module("tests.fuzz.seeds")
    corpus = Path(tempfile.mkdtemp(prefix=f"geocli-fuzz-{name}-"))
    for number, content in enumerate(seeds.seeds(name)):
        (corpus / f"seed-{number}").write_bytes(content)
    print(f"{name}: the corpus is in {corpus}", flush=True)
    words = Path(f"{corpus}-words")
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in _words(seeds.seeds(name))))
    limits = [
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST}",
        f"-seed={seed}",
        "-timeout=30",
        "-verbosity=0",
    ]
    arguments = [
        sys.argv[0],
        *limits,
        f"-dict={words}",
        "-print_final_stats=1",
        f"-artifact_prefix={corpus}-",
        str(corpus),
    ]
    atheris.Setup(arguments, targets.TARGETS[name])
    atheris.Fuzz()


def _words(examples: list[bytes]) -> set[bytes]:
    """What the seeds are made of, and what has broken others."""
    found = {word for example in examples for word in re.findall(rb'"[^"]*"|[\w.:/-]+', example)}
    return {word for word in {*found, *_PIECES} if len(word) < 64}


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def _blind(name: str, seconds: int, seed: int) -> None:
    """Random mutations of the seeds, and of what they have in common."""
    from tests.fuzz.seeds import seeds
    from tests.fuzz.targets import TARGETS

    chosen, examples = random.Random(seed), seeds(name)  # noqa: S311 (not a secret)
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = _mutated(chosen, examples)
        begun = time.monotonic()
        try:
            TARGETS[name](data)
        except Exception:
            print(f"{name}: {data!r}", file=sys.stderr)
            raise
        if time.monotonic() - begun > 10:
            sys.exit(f"{name}: too slow: {data!r}")
        count += 1
    print(f"{name}: {count} inputs in {seconds} s, no finding")


_PIECES = (
    b"\x00", b"\x1b[2J", b"\r", b"\n", b"\xff", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\\u0000", b"\\ud800",
    b"[{", b"]", b"{", b"}", b'"', b"'", b"null", b"true", b"-1", b"1e999", b"NaN", b"0" * 30, b"9" * 400,
    b"::", b"%", b"/", b"." * 20, b":" * 40, b"[" * 3000, b" ", b"\t",
)  # fmt: skip


def _mutated(chosen: random.Random, examples: list[bytes]) -> bytes:
    data = bytearray(chosen.choice(examples))
    for _ in range(chosen.randint(1, 12)):
        begin = chosen.randint(0, len(data))
        end = min(len(data), begin + int(chosen.expovariate(0.2)))
        other = chosen.choice(examples)
        start = chosen.randrange(len(other))
        data[begin:end] = chosen.choice(
            [
                b"",
                chosen.choice(_PIECES),
                bytes([chosen.randrange(256)]),
                bytes(data[begin:end]) * chosen.randint(2, 50),
                other[start : start + chosen.randint(1, 60)],
            ]
        )
    return bytes(data[:_LONGEST])


if __name__ == "__main__":
    main()
