"""Every reader of bans takes time in proportion to its input, also to hostile input.

What is measured is the processor's time of the process for two sizes, of which the second is four times the
first. Time that is linear grows as much; the bound is far above that, and far below the sixteenfold of a
quadratic reader.
"""

from __future__ import annotations

import gc
import time
from itertools import product

import pytest

from geocli.inputs.bans import read_bans
from geocli.model.errors import Problems
from tests.inputs.test_bans import stream

LOG = b"2026-11-23 21:42:00,606 fail2ban.actions [728]: NOTICE  "
STARTS = [
    *[b"", LOG + b"[a] Ban ", LOG + b"[a] Increase Ban x (1 # ", b"Nov 23 21:42:00 w fail2ban[1]: [a] Ban "],
    *[b"[", b"[{", b"['", b'["', b'{"a": ["', b"[{'a': ['", b"Status for the jail: "],
    *[b"   `- Banned IP list:\t", b"x \t2026-11-23 21:42:00 + 600 = ", b"table inet a {\n ip saddr "],
    *[b"table inet a {\n set b {\n type ipv4_addr\n elements = { ", b"Name: a\nMembers:\n", b"add a "],
    *[b"-A f2b-a ", b"Chain a (1 references)\n", b"rule family='ipv4' source ", b"ALL: "],
    *[b"id,value,reason\n", b"| ID | value | reason |\n", b"__CURSOR=\n", b"1795474931|100|4|"],
    *[b"   1.1.1.1\n", b"<29>1 2026-11-23T21:42:00Z h ", b"a | ", b"ERROR "],
]
REPEATS = [
    *[b"(1 # -> ", b" (1 # ", b" -> ", b" \t2026-11-23 21:42:00 + 1 = 9999-", b"[a] Ban ", b"[", b"] "],
    *[b"['a', ", b'"', b'\\"', b"'", b"\\", b"{", b"{}", b"[]", b"1.1.1.1, ", b"1.1.1.1-1.1.1.2,", b" | "],
    *[b": ", b"12345678 ", b"fail2ban ", b"fail2ban.actions [1]: ", b"f2b/", b"ab.cd ", b" saddr 1.1.1.1 "],
    *[b" -s 1.1.1.1 -j ", b"\x1b[0m", b" already banned", b"0-1 : a|", b"\xe2\x95\x91 1 ", b"ALL:", b"1m"],
    *[b"a=", b"\r", b" ", b"\t", b"]{"],
]
SIZE = 6000  # bytes, of the smallest


def seconds(text: bytes) -> float:
    begin = time.process_time()
    for _ in read_bans([stream(text)], Problems()):
        pass
    return time.process_time() - begin


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS)
def test_time_grows_with_the_input_and_no_faster(start: bytes) -> None:
    slow = []
    gc.disable()
    try:
        for repeat, end in product(REPEATS, (b"", b"\n")):
            texts = [start + repeat * (size // len(repeat)) + end for size in (SIZE, 4 * SIZE)]
            # Another try tells chance from growth.
            if all(seconds(texts[1]) > max(2e-2, 10 * seconds(texts[0])) for _ in range(3)):
                slow.append(repeat + end)
    finally:
        gc.enable()
    assert slow == []
