"""``python -m geocli`` and the ``geocli`` script."""

from __future__ import annotations

import gc
import sys

_MANY = 100_000


def main() -> None:
    """Run the command line and exit with its code."""
    # What geocli makes and drops has hardly a reference cycle in it, so looking for them every 700 objects
    # finds nothing, and costs a quarter of a bulk look-up.
    gc.set_threshold(_MANY)
    try:
        from geocli.cli import run  # inside, so that an interrupt during the imports is quiet too

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    except MemoryError:
        if sys.stderr is not None:
            sys.stderr.write("geocli: there is not enough memory; try again, or with less at once\n")
        code = 75
    sys.exit(code)


if __name__ == "__main__":
    main()
