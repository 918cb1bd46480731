"""SIGTERM taken for Ctrl-C: what was begun is put away, and the exit status says what it was."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from typing import Final

TERMINATED: Final = 128 + signal.SIGTERM
REFUSED: Final = 1  # migsync.errors is not imported yet


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
    except KeyboardInterrupt:  # while modules were still being imported: nothing has begun
        status = REFUSED
    except Exception:
        _tell_fault()
        status = REFUSED
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # Python notes a KeyboardInterrupt that goes through source given to exec(), as it does where a dataclass is
        # made, and would end the process by SIGINT, although it was caught. Source that ends well clears the note.
        exec("")  # noqa: S102
    # Any other status says more: 5, for example, that some databases are done.
    return TERMINATED if came and status == REFUSED else status


def _tell_fault() -> None:
    """Write the traceback of a fault of migsync's own: it may quote a password, or what a terminal obeys."""
    import traceback

    from migsync.escapes import printable_lines
    from migsync.redaction import redact

    sys.stderr.write(printable_lines(redact(traceback.format_exc())))
