"""How the time of a function grows with its input: a ratio, which is the same on any machine."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import TypeVar

_Input = TypeVar("_Input")

LARGEST = 16_384
"""Characters of the largest input. What is quadratic in them takes 100 ms and more."""

_FIRST = (20, 24, 28)
"""Characters of the first inputs: what is exponential is noticeable there, and would never end on more."""
_NOTICEABLE = 0.008  # seconds of processor time below which nothing is worth being compared
MOST = 6
"""The most by which four times as much may take longer: 4 is in step with the input, 16 is quadratic."""


def growth(run: Callable[[_Input], object], make: Callable[[int], _Input], largest: int = LARGEST) -> float:
    """By how much four times the input takes longer, at its worst; 0 where all of it takes no time.

    Short inputs come first, so that what is cubic does not go on for hours.
    """
    worst = 0.0
    for size in (*_FIRST, largest // 64, largest // 16, largest // 4, largest):
        data = make(size)
        if _seconds(run, data, 1) > _NOTICEABLE:
            for times in (2, 5, 9):  # a busy machine makes a single run slow, not the quickest of many
                worst = _seconds(run, data, times) / max(_seconds(run, make(size // 4), times), 1e-6)
                if worst <= MOST:
                    break
            if worst > MOST:
                break
    return worst


def _seconds(run: Callable[[_Input], object], data: _Input, times: int) -> float:
    """Processor time of the quickest of so many runs."""
    best = float("inf")
    was_on = gc.isenabled()
    gc.disable()
    try:
        for _ in range(times):
            begun = time.process_time()
            run(data)
            best = min(best, time.process_time() - begun)
    finally:
        if was_on:
            gc.enable()
    return best
