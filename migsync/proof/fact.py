"""One thing that was proven, as a person reads it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """`name` says it in a few words, for a list of all; `words` is the whole sentence, with what was looked at."""

    name: str
    words: str
