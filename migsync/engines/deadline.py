"""How long a task may wait: a point in time that all of its statements share."""

from __future__ import annotations

import time

STATEMENT_SECONDS = 10.0
"""A statement that reads may run this long even where no lock is waited for (``--lock-timeout 0``)."""


class Deadline:
    """A point in time that all waiting of one task shares."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The seconds that are left, at least a millisecond: to most engines 0 means for ever."""
        return max(self._until - time.monotonic(), 0.001)

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self._until
