"""``python -m migsync`` and the ``migsync`` command."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and end the process with its status."""
    # Looking for cycles again and again among modules and ten thousand migrations, which all stay until the end, would
    # take a tenth of the time of a plan.
    gc.disable()
    # Before the slow imports of the program, so that a SIGTERM that comes during them has its exit status, too.
    from migsync.cli.signals import terminable

    status = terminable(_run)
    gc.freeze()  # nor once more when Python ends
    sys.exit(status)


def _run() -> int:
    from migsync.cli.program import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    if not sys.flags.safe_path:
        # `python -m` searches the current directory first: a project's json.py would be run in place of Python's.
        del sys.path[0]
    main()
