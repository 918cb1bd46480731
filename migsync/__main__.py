"""``python -m migsync`` and the ``migsync`` command."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and end the process with its status."""
    # Looking for cycles again and again among modules and ten thousand migrations, which all stay until the end, would
    # take a tenth of the time of a plan.
    gc.disable()
    try:
        from migsync.cli.program import run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules were still being imported: nothing has begun
        status = 1
    gc.freeze()  # nor once more when Python ends
    sys.exit(status)


if __name__ == "__main__":
    main()
