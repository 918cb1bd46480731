"""How far long work has got: whoever does the work counts its steps, and whoever listens shows them.

A step costs next to nothing without a listener, and a count is an addition either way: a listener reads the numbers
when it likes. The listener is a context variable, so that no function has to pass it on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclass(eq=False)
class ProgressStep:
    """A piece of work: what it is, how much of the `total` is `done`, and the step that it is a part of.

    `text` is for people; it may change while the step goes on. `total` is 0 where it is not known. `started` is a
    reading of the monotonic clock, in seconds.
    """

    text: str
    total: int = 0
    done: int = 0
    parent: ProgressStep | None = None
    started: float = field(default_factory=time.monotonic)


class Progress(Protocol):
    """Who is told of steps. It may be called from any thread."""

    @property
    def wanted(self) -> bool:
        """False where nobody would see it: then it is told of no step."""

    def begin(self, steps: Sequence[ProgressStep]) -> None:
        """Work on these steps begins, on all of them at the same time."""

    def end(self, steps: Sequence[ProgressStep]) -> None:
        """Work on these steps has ended, well or not."""


_PROGRESS: ContextVar[Progress | None] = ContextVar("progress", default=None)
_PARENT: ContextVar[ProgressStep | None] = ContextVar("parent", default=None)


@contextmanager
def shown_by(progress: Progress) -> Iterator[None]:
    """Tell `progress` of every step that is worked on inside."""
    token = _PROGRESS.set(progress)
    try:
        yield
    finally:
        _PROGRESS.reset(token)


def is_watched() -> bool:
    """Whether anybody would see a step that begins now."""
    progress = _PROGRESS.get()
    return progress is not None and progress.wanted


@contextmanager
def steps(texts: Iterable[str]) -> Iterator[list[ProgressStep]]:
    """Work on several steps at the same time."""
    made = [ProgressStep(text, parent=_PARENT.get()) for text in texts]
    progress = _PROGRESS.get()
    if progress is None or not progress.wanted:
        yield made
        return
    progress.begin(made)
    try:
        yield made
    finally:
        progress.end(made)


@contextmanager
def step(text: str, total: int = 0) -> Iterator[ProgressStep]:
    """Work on one step; the steps inside are its parts."""
    with steps([text]) as [made]:
        made.total = total
        token = _PARENT.set(made)
        try:
            yield made
        finally:
            _PARENT.reset(token)


def counted(text: str, items: Sequence[T]) -> Iterator[T]:
    """The items one after the other, as a step of which each is a part."""
    with step(text, len(items)) as made:
        for item in items:
            yield item
            made.done += 1
