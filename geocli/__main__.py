"""``python -m geocli`` and the ``geocli`` script."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False  # as in typing, which takes a third longer before main() has begun
if TYPE_CHECKING:
    from typing import NoReturn

_MANY = 250_000


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    # What geocli makes and drops has hardly a reference cycle in it, so looking for them every 700 objects
    # finds nothing, and costs a quarter of a bulk look-up.
    gc.set_threshold(_MANY)
    try:
        from geocli.cli.app import run  # inside, so that an interrupt during the imports is quiet too

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    except MemoryError:
        if sys.stderr is not None:
            sys.stderr.write("geocli: there is not enough memory; try again, or with less at once\n")
        code = 75
    except Exception as error:  # noqa: BLE001 (the last resort, for what fails while geocli is imported)
        from geocli.cli.last_resort import tell

        code = tell(error, sys.argv[1:])
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End the process, now: every file is closed by then by who opened it.

    Python would first take itself to pieces, which is a fifth of the time of a short look-up.
    """
    from contextlib import suppress  # everything imports it, but no sooner than main() has begun

    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):  # what must arrive was flushed when it was written
                stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
