"""``python -m migsync`` and the ``migsync`` command."""

from __future__ import annotations

import gc
import sys

from migsync.cli.terminating import terminable


def main() -> None:
    """Run the command line and end the process with its status."""
    # Looking for cycles again and again among modules and ten thousand migrations, which all stay until the end, would
    # take a tenth of the time of a plan.
    gc.disable()
    status = terminable(_run)
    gc.freeze()  # nor once more when Python ends
    sys.exit(status)


def _run() -> int:
    from migsync.cli.program import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    main()
