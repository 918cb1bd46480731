"""The JSON of what plans have in common: those of one group share the very objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedText(Generic[T]):
    """What `make` returns for a value, kept for the last one that was asked for. Used by several threads."""

    def __init__(self, make: Callable[[T], str]) -> None:
        self._make = make
        self._last: tuple[T, str] | None = None

    def __call__(self, value: T) -> str:
        """The text of the value, which must not change any more."""
        last = self._last
        if last is None or last[0] is not value:
            last = self._last = (value, self._make(value))
        return last[1]
