"""What cannot be looked at is not absent, with every Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from geocli.model.errors import InputError
from geocli.system.presence import exists, is_directory, is_file, named_by_user


def test_what_is_there(tmp_path: Path) -> None:
    file, link, circle = tmp_path / "file", tmp_path / "link", tmp_path / "circle"
    file.write_text("")
    link.symlink_to(tmp_path)
    circle.symlink_to(circle)
    nothing, below_a_file = tmp_path / "nothing", file / "below"
    kinds = {
        path: (exists(path), is_directory(path), is_file(path))
        for path in (file, link, circle, nothing, below_a_file)
    }
    absent = (False, False, False)
    assert kinds == {
        file: (True, False, True), link: (True, True, False),
        circle: absent, nothing: absent, below_a_file: absent,
    }  # fmt: skip


@pytest.mark.parametrize("ask", [exists, is_directory, is_file])
def test_what_cannot_be_looked_at_is_an_error(ask: object, tmp_path: Path) -> None:
    assert callable(ask)
    name = tmp_path / ("a" * 300)  # longer than a name may be: an error for root as well
    with pytest.raises(OSError, match="too long"):
        ask(name)
    with pytest.raises(InputError, match=r"cannot read .*: File name too long"), named_by_user(name):
        ask(name)
