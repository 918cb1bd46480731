"""How wide text may be."""

from __future__ import annotations

import os
from typing import TextIO

UNBOUNDED = 100_000
USUAL = 80
"""The width of a terminal that does not say how wide it is."""
VARIABLE = "MIGSYNC_COLUMNS"
"""A pipe is laid out in so many columns; who reads it shows it on a terminal."""


def width_of(stream: TextIO | None) -> int | None:
    """How many columns `stream` has; None for what is no terminal. Before the terminal the variable COLUMNS says it."""
    if told := _number(VARIABLE):
        return told
    if stream is None or stream.closed or not stream.isatty():
        return None
    if told := _number("COLUMNS"):
        return told
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL
    except (OSError, ValueError):
        return USUAL


def _number(variable: str) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isdecimal() else 0
