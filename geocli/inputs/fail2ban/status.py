r"""``fail2ban-client status``: a tree, and in it after "Banned IP list:" who is banned.

One jail (``status JAIL``, all flavours) or all (``status --all``, fail2ban 1.1, one level deeper). fail2ban
0.8 says "IP list:". Counts, files, the names of jails and what the flavour cymru adds are not banned. The
list is words between blanks, so an identifier of two words is two bans here, and one that contains a line
end goes on in the next line: until the tree goes on, or an empty line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.inputs.fail2ban.times import identifier_text
from geocli.model.bans import Ban

if TYPE_CHECKING:
    from geocli.inputs.stream import Piece

_HEADER = re.compile(rb"Status(?: for the jail: ([^\r\n]*))?[\r\n]*\Z")
_TREE = re.compile(rb"[ |]*[|`]- ")
_JAIL = re.compile(rb"[ |]*[|`]- Jail: ([^\r\n]*)")
_LIST = re.compile(rb"(?:[ |]*[|`]- (?:Banned )?|Banned )IP list:\s*")
_COUNTS = re.compile(r"\S.*? +║ \S+ +║ +\d+ │ +\d+ ║ +\d+ │ +\d+\s*".encode())
_LONGEST_WORD = 1 << 12


def is_statistics_line(line: bytes) -> bool:
    """Whether it is a line of ``fail2ban-client statistics``: a jail and its counts, nobody who is banned."""
    return "║".encode() in line and _COUNTS.fullmatch(line) is not None


class StatusReader:
    """Reads such trees line by line, a line in parts of any size."""

    def __init__(self) -> None:
        self._jail: str | None = None
        self._in_list = False
        self._tail = b""  # a word that may go on in the next part

    def read(self, line: Piece) -> list[Ban] | None:
        """The bans in a line, or ``None`` when it is no line of a tree; later parts belong to their start."""
        text = line.text
        if line.starts_line:
            if header := _HEADER.match(text):
                self.leave()
                self._jail = identifier_text(header[1]) if header[1] is not None else None
            elif listed := _LIST.match(text):
                self._in_list = True
                text = text[listed.end() :]
            elif _TREE.match(text):
                self._in_list = False
                if jail := _JAIL.match(text):
                    self._jail = identifier_text(jail[1])
            elif not self._in_list or not text.strip():
                self.leave()
                return None
        return self._words(text, is_complete=line.ends_line) if self._in_list else []

    def leave(self) -> None:
        """Forget the tree: something else has begun."""
        self._jail, self._in_list, self._tail = None, False, b""

    def _words(self, text: bytes, *, is_complete: bool) -> list[Ban]:
        text = self._tail + text
        self._tail = b""
        words = text.split()
        if not is_complete and words and not text[-1:].isspace():
            self._tail = words.pop()[:_LONGEST_WORD]
        return [Ban(self._jail, identifier_text(word)) for word in words]
