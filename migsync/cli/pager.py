"""Long output in a pager, as git shows it: chosen by the environment, and never a reason for a command to fail."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping

VARIABLES = ("MIGSYNC_PAGER", "PAGER")
SETTINGS = {"LESS": "FRX", "LV": "-c"}
"""What git sets where the user has not: less ends by itself if all fits on the screen, and shows colours."""
NOT_STARTED = (126, 127)
"""What a shell answers for a command that it cannot run, or cannot find."""


def pager_command(environment: Mapping[str, str]) -> str | None:
    """The shell command of the pager; None where there is none to be used: it is empty, ``cat``, or not installed."""
    for variable in VARIABLES:
        if variable in environment:
            chosen = environment[variable].strip()
            return None if chosen in ("", "cat") else chosen
    return "less" if environment.get("TERM") != "dumb" and shutil.which("less") else None


def page(content: bytes, command: str) -> bool:
    """Show `content` in the pager `command`, and wait until it has ended; False where it could not be started.

    The user may leave before the end, and Ctrl-C belongs to the pager while it runs.
    """
    environment = {**SETTINGS, **os.environ}
    try:
        with _left_to_the_pager(signal.SIGINT):
            # By the shell, as git does: `PAGER="less -S"` is a command line. It is the user's own. Not in a `with`: one
            # that SIGTERM ends before the first statement in it would wait for the pager.
            process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, env=environment)  # noqa: S602
            try:
                # A pipe that the pager has closed is how it says that it has shown enough.
                with contextlib.suppress(BrokenPipeError):
                    process.communicate(content)
            except BaseException:  # SIGTERM: a pager that is left alone would go on reading the terminal's keys
                process.terminate()
                raise
            finally:
                process.wait()
    except OSError:
        return False
    return process.returncode not in NOT_STARTED


@contextlib.contextmanager
def _left_to_the_pager(number: signal.Signals) -> Iterator[None]:
    """Nothing happens in this process on the signal. It is not SIG_IGN: that would hold for the pager too."""
    # Python takes a handler from the main thread only.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(number, before)
