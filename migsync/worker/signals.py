"""Signals that wait while what was begun is put away."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def signals_later() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the end: pressed twice, it must not interrupt the removal that the first began."""
    came: list[tuple[int, Callable[[int, object], object]]] = []
    before = {}
    if threading.current_thread() is threading.main_thread():  # Python takes a handler from no other
        for number in map(int, (signal.SIGINT, signal.SIGTERM)):
            if callable(handler := signal.getsignal(number)):
                before[number] = handler
                signal.signal(number, lambda *_, late=(number, handler): came.append(late))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number, handler in came[:1]:
            handler(number, None)
