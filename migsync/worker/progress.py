"""How far a worker has got, on a pipe of its own beside the answer: one short line of JSON for each :class:`Advance`.

Nothing is lost with a line that does not fit into the pipe: the next one says more. Without a pipe, because nobody
would see it, :func:`report` does nothing.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, TypeVar

from migsync.worker.codec import decode, encode

T = TypeVar("T")
INTERVAL: Final = 0.1
"""Seconds between two lines about one stage; a stage that begins is said at once."""
NOWHERE: Final = -1


class Advance(NamedTuple):
    """The stage that a worker is in (see :data:`migsync.worker.task.STAGES`), and how much of it is `done`.

    `total` is 0 where it is not known.
    """

    stage: str
    done: int = 0
    total: int = 0


class _Pipe:
    """The writing end, in the worker."""

    descriptor = NOWHERE
    counting = ("", 0)
    next_time = 0.0


def report_to(descriptor: int) -> None:
    """From now on write to this pipe; to :data:`NOWHERE` for none."""
    _Pipe.descriptor = descriptor
    if descriptor != NOWHERE:
        # A worker never waits for whoever watches it, and the programs that the project starts do not get the pipe.
        os.set_blocking(descriptor, False)
        os.set_inheritable(descriptor, False)


def report(stage: str, done: int = 0, total: int = 0, *, at_once: bool = False) -> None:
    """Say how far this worker has got, unless it has just been said; `at_once`, in any case.

    That is for what may take long each time: else the one that does would not be counted.
    """
    if _Pipe.descriptor == NOWHERE:
        return
    now = time.monotonic()
    if not at_once and _Pipe.counting == (stage, total) and now < _Pipe.next_time:
        return
    _Pipe.counting, _Pipe.next_time = (stage, total), now + INTERVAL
    with suppress(OSError):  # full, or nobody reads it any more
        os.write(_Pipe.descriptor, f"{encode(Advance(stage, done, total))}\n".encode())


def counted(stage: str, items: Sequence[T], *, at_once: bool = False) -> Iterator[T]:
    """The items one after the other, each reported; `at_once` as for :func:`report`."""
    for number, item in enumerate(items):
        report(stage, number, len(items), at_once=at_once)
        yield item


class Advances:
    """The reading end, in migsync's own process."""

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._rest = b""

    def started(self) -> None:
        """The worker has its copy of the writing end."""
        os.close(self.writing)

    def last(self) -> Advance | None:
        """The last thing that the worker has said since it was asked the last time; it is not waited for."""
        try:
            said = self._rest + os.read(self._reading, 65536)
        except OSError:
            return None
        *lines, self._rest = said.split(b"\n")
        return decode(Advance, lines[-1].decode()) if lines else None

    def close(self) -> None:
        """Nothing is read any more."""
        os.close(self._reading)
