"""Every parser of text from outside: functions of bytes, and what stands before what is to hurt them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import NamedTuple

from geocli.cli.visible_text import VisibleText
from geocli.config.parsers import parse_duration, parse_moment, parse_names, parse_secret, parse_url
from geocli.config.store_url import parse_server, shown
from geocli.cron import crontab_block
from geocli.inputs.bulk_text import BulkText
from geocli.inputs.in_text import find_ends, find_targets
from geocli.inputs.stream import Stream
from geocli.inputs.targets import read_targets
from geocli.mmdb.builder.as_names import clean_as_name
from geocli.model.addresses import parse_target
from geocli.model.errors import GeocliError
from geocli.model.records import clean_text
from geocli.output.formats.base import Layout, load_format
from tests.fuzz import seeds, targets


class Parser(NamedTuple):
    """``read`` takes bytes; ``heads`` are what may stand before them."""

    name: str
    read: Callable[[bytes], object]
    heads: tuple[bytes, ...] = (b"",)

    def parse(self, data: bytes) -> None:
        """Read, and refuse what is no good."""
        with suppress(ValueError, GeocliError, RecursionError):
            self.read(data)


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("latin-1"))


def _chunks(data: bytes) -> None:
    for _ in read_targets(data[begin : begin + 4096] for begin in range(0, len(data), 4096)):
        pass


def _stream(data: bytes) -> None:
    for _ in Stream(BytesIO(data), "input").chunks():
        pass


def _crontab(data: bytes) -> None:
    crontab_block.remove(crontab_block.install(data, [b"* * * * * x"]))


def _form(name: str) -> Callable[[str], object]:
    form = load_format(name, Layout(("org",), ("org",), template="{org}"))
    return lambda text: form.rows([(text,)])


def _visible(data: bytes) -> None:
    shown_text = VisibleText()
    shown_text.feed(data)
    shown_text.end()


def _heads_of_bans() -> tuple[bytes, ...]:
    """The beginning of each kind of ban list: with it, what follows is read as such."""
    heads = [seed[:600] for seed in seeds.seeds("bans")]
    lines = [head[: head.rfind(b"\n") + 1] for head in heads]  # whole lines, and a line that goes on
    return tuple(dict.fromkeys([b"", *lines, *(head[:150] for head in heads)]))


PARSERS = (
    Parser("find_targets", find_targets),
    Parser("find_ends", find_ends),
    Parser("bulk_text", lambda text: BulkText().find(text)),
    Parser("read_targets", _chunks),
    Parser("streams", _stream),
    Parser("read_bans", targets.bans, _heads_of_bans()),
    Parser("parse_target", _text(parse_target)),
    Parser("parse_duration", _text(parse_duration)),
    Parser("parse_moment", _text(lambda text: parse_moment(text, 0))),
    Parser("parse_names", _text(parse_names)),
    Parser("parse_secret", _text(parse_secret)),
    Parser("parse_url", _text(parse_url)),
    Parser("parse_server", _text(parse_server)),
    Parser("shown_server", _text(shown)),
    Parser("crontab", _crontab, (b"", b"# >>> geocli\n")),
    Parser("clean_text", _text(lambda text: clean_text(text, 10**6))),
    Parser("visible_text", _visible),
    Parser("as_names", _text(clean_as_name)),
    Parser("csv", _text(_form("csv"))),
    Parser("tsv", _text(_form("tsv"))),
    Parser("json", _text(_form("json"))),
    Parser("ip-api", _text(lambda text: targets.ip_api(json.dumps([{"as": text}]).encode()))),
    Parser("ipinfo", _text(lambda text: targets.ipinfo(json.dumps({"8.8.8.8": {"asn": text}}).encode()))),
    Parser("segment", targets.segment, (b"", *(seed[:200] for seed in seeds.seeds("segment")))),
)
