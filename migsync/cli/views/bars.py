"""Progress bars on a terminal, by Rich: drawn into text, so that the caller writes it in one piece."""

from __future__ import annotations

import time
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING, Final, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from migsync.cli.views.width import USUAL, width_of
from migsync.words import clock_text, rate_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from migsync.progress import ProgressStep

BAR: Final = 20
ROOM_FOR_BAR: Final = 70
"""Columns that a terminal has where there is a bar beside the text."""


class _Bar(BarColumn):
    """A bar where the total is known."""

    def render(self, task: Task) -> RenderableType:  # type: ignore[override]
        return super().render(task) if task.total else Text("")


class _Counts(ProgressColumn):
    """Done and total, the time so far, the rate where there is room, and the time that is left, as far as known."""

    def __init__(self, table_column: Column, *, with_rate: bool) -> None:
        super().__init__(table_column)
        self._with_rate = with_rate

    def render(self, task: Task) -> Text:
        counts = f"{int(task.completed)}/{int(task.total)}  " if task.total else ""
        left = task.time_remaining if task.total else None
        rate = f", {rate_text(task.speed)}" if left and task.speed and self._with_rate else ""
        remaining = f", {clock_text(left)} left" if left else ""
        return Text(f"{counts}{clock_text(task.elapsed or 0)}{rate}{remaining}")


class Bars:
    """The steps, one a line; each drawing takes the place of the one before."""

    def __init__(self, stream: TextIO | None, *, colour: bool) -> None:
        self._stream = stream
        self._drawn = StringIO()
        self._lines = 0
        self._tasks: dict[ProgressStep, TaskID] = {}
        console = Console(
            file=self._drawn,
            force_terminal=True,
            no_color=not colour,
            color_system="auto" if colour else None,
            highlight=False,
            markup=False,
            emoji=False,
        )
        text = Column(no_wrap=True, overflow="ellipsis", min_width=10)
        room = (width_of(stream) or USUAL) >= ROOM_FOR_BAR
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False, table_column=text),
            *([_Bar(BAR)] if room else []),
            _Counts(Column(no_wrap=True), with_rate=room),
            console=console,
            auto_refresh=False,
            get_time=time.monotonic,
        )

    def draw(self, steps: Sequence[ProgressStep]) -> str:
        """The control sequences and the text that show these steps."""
        for gone in self._tasks.keys() - set(steps):
            self._progress.remove_task(self._tasks.pop(gone))
        for step in steps:
            if step not in self._tasks:
                self._tasks[step] = self._progress.add_task(step.text, total=None)
            self._update(self._tasks[step], step)
        console = self._progress.console
        console.width = (width_of(self._stream) or USUAL) - 1  # a full line would wrap on some terminals
        console.print(self._progress.get_renderable())
        text = self._drawn.getvalue()
        self._drawn.seek(0)
        self._drawn.truncate()
        erase = self.erase()
        self._lines = text.count("\n")
        return erase + text

    def _update(self, task: TaskID, step: ProgressStep) -> None:
        known = self._progress.tasks[self._progress.task_ids.index(task)]
        # Other work under the same step is counted anew: its speed is another one.
        if known.total != (step.total or None):
            self._progress.reset(task, total=step.total or None, completed=step.done)
        known.start_time = step.started
        self._progress.update(task, description=step.text, completed=step.done)

    def erase(self) -> str:
        """Go up to the first line that was drawn, and clear from there to the end of the screen."""
        lines, self._lines = self._lines, 0
        return f"\r\x1b[{lines}A\x1b[J" if lines else ""
