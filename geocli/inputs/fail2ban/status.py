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
    from geocli.inputs.ban_reader import Reading, Tally
    from geocli.inputs.stream import Piece

_HEADER = re.compile(rb"Status(?: for the jail: ([^\r\n]*))?[\r\n]*\Z")
_TREE = re.compile(rb"[ |]*[|`]- ")
_JAIL = re.compile(rb"[ |]*[|`]- Jail: ([^\r\n]*)")
_LIST = re.compile(rb"(?:[ |]*[|`]- (?:Banned )?|Banned )IP list:\s*")
_LONGEST_WORD = 1 << 12


def sniff(line: bytes) -> bool:
    """Whether a line belongs to such a tree."""
    return any(form.match(line) for form in (_TREE, _HEADER, _LIST))


def read(reading: Reading, tally: Tally) -> StatusReader:  # noqa: ARG001 (each ban source takes both)
    """Return what reads such trees."""
    return StatusReader(tally)


class StatusReader:
    """Reads such trees line by line, a line in parts of any size."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._jail: str | None = None
        self._in_list = False
        self._tail = b""  # a word that may go on in the next part

    def read(self, part: Piece) -> list[Ban] | None:
        """Return the bans in a line of a tree; later parts of a line belong to their start."""
        text = part.text
        if part.starts_line:
            if header := _HEADER.match(text):
                self._jail, self._in_list = None, False
                if header[1] is not None:
                    self._jail = identifier_text(header[1])
            elif listed := _LIST.match(text):
                self._in_list = True
                self._tally.answers += 1
                text = text[listed.end() :]
            elif _TREE.match(text):
                self._in_list = False
                if jail := _JAIL.match(text):
                    self._jail = identifier_text(jail[1])
            else:
                return None
        return self._words(text, is_complete=part.ends_line) if self._in_list else []

    def follow(self, part: Piece) -> list[Ban] | None:
        """Return the bans of a line that goes on with the list: until the tree does, or an empty line."""
        if self._in_list and part.text.strip():
            return self._words(part.text, is_complete=part.ends_line)
        self._jail, self._in_list, self._tail = None, False, b""
        return None

    def end(self) -> list[Ban]:
        """Return nothing: a word that is not complete is no ban."""
        return []

    def _words(self, text: bytes, *, is_complete: bool) -> list[Ban]:
        text = self._tail + text
        self._tail = b""
        words = text.split()
        if not is_complete and words and not text[-1:].isspace():
            self._tail = words.pop()[:_LONGEST_WORD]
        return [Ban(self._jail, identifier_text(word)) for word in words]
