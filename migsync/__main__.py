"""``python -m migsync`` and the ``migsync`` command."""

from __future__ import annotations

# Built in: a project's signal.py cannot come in its place, and it is there at once.
import _signal  # type: ignore[import-not-found]
import gc
import os
import sys


def _too_early(_number: int, _frame: object) -> None:
    end = b"\n" if os.isatty(2) else b""  # of the line with the ^C
    os.write(2, end + b"Error: Interrupted. Nothing was changed.\n")
    os._exit(1)


_is_program = __name__ == "__main__" or sys.argv[0].rpartition(os.sep)[2].startswith("migsync")
if _is_program and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    # Until `terminable` takes over, a KeyboardInterrupt would be a traceback.
    _signal.signal(_signal.SIGINT, _too_early)


def main() -> None:
    """Run the command line and end the process with its status."""
    # Looking for cycles again and again among modules and ten thousand migrations, which all stay until the end, would
    # take a tenth of the time of a plan.
    gc.disable()
    # Before the slow imports of the program, so that a SIGTERM that comes during them has its exit status, too.
    from migsync.cli.signals import terminable

    if _signal.getsignal(_signal.SIGINT) is _too_early:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)
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
