"""Ctrl-C at any moment, and SIGTERM taken for it: what was begun is put away, and the exit status says what it was."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

TERMINATED: Final = 128 + signal.SIGTERM
REFUSED: Final = 1  # migsync.errors is not imported yet
IN_DOUBT: Final = 6
CHANGES: Final = "migsync.cli.execution"
"""As long as this module is not imported, no database can have been changed."""


def terminable(run: Callable[[], int]) -> int:
    """The status of `run`, which is 1 for an exception; `TERMINATED` where SIGTERM came and nothing was changed.

    Only the first one counts: ``timeout`` sends two, and the second would cut the putting away off.
    """
    came: list[int] = []

    def interrupt(number: int, _: object) -> None:
        came.append(number)
        if len(came) == 1:
            raise KeyboardInterrupt

    # Python takes a handler from the main thread only. One that the project has set, under manage.py, stays.
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, interrupt)
    try:
        status = run()
    except KeyboardInterrupt:  # while modules were still being imported, or twice within a moment
        status = _tell_interruption()
    except Exception:
        _tell_fault()
        status = REFUSED
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if _raises_interrupts():
            # All is said. Ctrl-C may end what Python does at its end, and shows no traceback there.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        # Python notes a KeyboardInterrupt that goes through source given to exec(), as it does where a dataclass is
        # made, and would end the process by SIGINT, although it was caught. Source that ends well clears the note.
        exec("")  # noqa: S102
    # Any other status says more: 5, for example, that some databases are done.
    return TERMINATED if came and status == REFUSED else status


@contextmanager
def last_words() -> Iterator[None]:
    """Ctrl-C is ignored inside, so that what was begun is told to the end."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if _raises_interrupts() else None
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


def _raises_interrupts() -> bool:
    """Whether Ctrl-C is Python's KeyboardInterrupt here, and this thread may say what it is."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _tell_interruption() -> int:
    """Say that it was interrupted, and what is known of the databases; the exit status."""
    end = "\n" if sys.stderr.isatty() else ""  # of the line with the ^C
    if CHANGES not in sys.modules:
        sys.stderr.write(f"{end}Error: Interrupted. Nothing was changed.\n")
        return REFUSED
    sys.stderr.write(
        f"{end}Error: Interrupted twice. Databases may have been changed.\n  migsync log lists what was done.\n"
        "  Next: Run: migsync recover\n"
    )
    return IN_DOUBT


def _tell_fault() -> None:
    """Write the traceback of a fault of migsync's own: it may quote a password, or what a terminal obeys."""
    import traceback

    from migsync.escapes import printable_lines
    from migsync.redaction import redact

    sys.stderr.write(printable_lines(redact(traceback.format_exc())))
