"""How far long work has got, on standard error: bars on a terminal, lines with ``--verbose`` elsewhere.

The first half second shows nothing, so short commands stay silent. What is drawn is erased before anything else is
written, and while no step is under way: a question or a pager never meets it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Protocol, TextIO

from migsync.progress import ProgressStep, shown_by
from migsync.words import clock_text, rate_text

QUIET: Final = 0.5
"""So many seconds of work pass before anything is shown, and again after something else was written."""
INTERVAL: Final = 0.1
LINE_INTERVAL: Final = 10.0
"""Seconds between two lines about the same step."""


class Screen(Protocol):
    """Where steps are shown."""

    def draw(self, steps: Sequence[ProgressStep]) -> str:
        """What to write so that these steps are shown, in place of what was drawn before."""

    def erase(self) -> str:
        """What to write so that nothing is left of what was drawn."""


@dataclass
class Display:
    """Shows the steps that are under way; see :class:`migsync.progress.Progress`.

    It asks late whether progress is `allowed`, whether lines are wanted where there is no terminal (`verbose`), and
    whether colour is: the options say so, which are read after it is made.
    """

    stream: TextIO | None
    allowed: Callable[[], bool]
    verbose: Callable[[], bool]
    colour: Callable[[], bool]
    _steps: list[ProgressStep] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _screen: Screen | None = None
    _ended: threading.Event | None = None
    _due: float = 0.0

    @property
    def wanted(self) -> bool:
        """Whether anybody would see it."""
        if self.stream is None or self.stream.closed or not self.allowed():
            return False
        return self.verbose() or self._can_draw()

    def _can_draw(self) -> bool:
        # A terminal that cannot move its cursor back cannot replace what it shows.
        return self.stream is not None and self.stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Show the steps inside. The first half second counts from here."""
        self._due = time.monotonic() + QUIET
        try:
            with shown_by(self):
                yield
        finally:
            self._close()

    def begin(self, steps: Sequence[ProgressStep]) -> None:
        """Show these steps, once it is time to show anything."""
        with self._lock:
            self._steps += steps
            if self._ended is None:
                self._ended = threading.Event()
                threading.Thread(target=self._run, args=[self._ended], name="progress", daemon=True).start()

    def end(self, steps: Sequence[ProgressStep]) -> None:
        """Show these steps no more."""
        with self._lock:
            self._steps = [each for each in self._steps if each not in steps]
            if not self._steps:
                self._erase()

    def hide(self) -> None:
        """Make room for something else that is about to be written."""
        with self._lock:
            self._due = time.monotonic() + QUIET
            self._erase()

    def _close(self) -> None:
        with self._lock:
            self._steps.clear()
            self._erase()
            if self._ended:
                self._ended.set()
                self._ended = None

    def _run(self, ended: threading.Event) -> None:
        while not ended.wait(INTERVAL):
            if self._steps and time.monotonic() >= self._due:
                screen = self._screen or self._new_screen()  # outside the lock: the first one imports Rich
                with self._lock:
                    # Meanwhile it may have ended, or something else was written.
                    if self._steps and time.monotonic() >= self._due and not ended.is_set():
                        self._screen = screen
                        self._write(screen.draw(innermost(self._steps)))

    def _new_screen(self) -> Screen:
        if not self._can_draw():
            return Lines()
        from migsync.cli.views.bars import Bars

        return Bars(self.stream, colour=self.colour())

    def _erase(self) -> None:
        if self._screen:
            self._write(self._screen.erase())

    def _write(self, text: str) -> None:
        if text and self.stream:
            with suppress(OSError, ValueError):  # what comes next on the stream tells
                self.stream.write(text)
                self.stream.flush()


def innermost(steps: Sequence[ProgressStep]) -> list[ProgressStep]:
    """The steps of which no part is under way itself."""
    parents = [step.parent for step in steps]
    return [step for step in steps if step not in parents]


@dataclass
class Lines:
    """Plain lines: a step when it is first shown or has another text, and then every ten seconds."""

    _due: dict[tuple[int, str], float] = field(default_factory=dict)

    def draw(self, steps: Sequence[ProgressStep]) -> str:
        """A line for each step of which one is due."""
        now = time.monotonic()
        lines = []
        for step in steps:
            known = (id(step), step.text)
            if now >= self._due.get(known, now):
                self._due[known] = now + LINE_INTERVAL
                counts = f" {step.done}/{step.total}{_pace(step, now)}" if step.total else ""
                lines.append(f"{step.text}{counts} …\n")
        return "".join(lines)

    def erase(self) -> str:
        """Lines stay."""
        return ""


def _pace(step: ProgressStep, now: float) -> str:
    """The rate and the time that is left, by what is done so far."""
    passed = now - step.started
    if not step.done or passed <= QUIET:
        return ""
    left = passed / step.done * max(step.total - step.done, 0)
    return f", {rate_text(step.done / passed)}, {clock_text(left)} left"
