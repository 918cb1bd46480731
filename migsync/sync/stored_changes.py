"""The changes of a run as the journal holds them: it has hundreds of runs, and few of them are ever looked at."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

from migsync.sync.plan import Change, ChangeKind

# Inside of a text in JSON, a quote has a backslash before it.
ID = re.compile(r'[{,]\s*"id"\s*:\s*(-?\d+)')
KIND = re.compile(r'[{,]\s*"kind"\s*:\s*"(\w+)"')


class StoredChanges(Sequence[Change]):
    """Decoded when one of them is asked for. Raises what `decode` raises, then.

    `text` is what :func:`migsync.sync.journal.tables.as_row` made of the changes.
    """

    def __init__(self, text: str, decode: Callable[[str], tuple[Change, ...]]) -> None:
        self._text = text
        self._decode = decode

    @cached_property
    def _changes(self) -> tuple[Change, ...]:
        return self._decode(self._text)

    @property
    def decoded(self) -> bool:
        """Whether one of them was asked for."""
        return "_changes" in vars(self)

    @cached_property
    def ids(self) -> frozenset[int]:
        """The ids of the rows that the run touched."""
        return frozenset(map(int, ID.findall(self._text)))

    @property
    def kinds(self) -> Mapping[ChangeKind, int]:
        """How many changes of each kind there are."""
        return Counter(map(ChangeKind, KIND.findall(self._text)))

    @overload
    def __getitem__(self, place: int) -> Change: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Change]: ...
    def __getitem__(self, place: int | slice) -> Change | Sequence[Change]:
        return self._changes[place]

    def __iter__(self) -> Iterator[Change]:
        return iter(self._changes)

    def __len__(self) -> int:
        return len(self._changes)

    def __bool__(self) -> bool:
        return self._text != "[]"

    def __eq__(self, other: object) -> bool:
        return tuple(other) == self._changes if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._changes)


def touched_ids(changes: Sequence[Change]) -> Collection[int]:
    """The ids of the rows before and after the changes."""
    if isinstance(changes, StoredChanges):
        return changes.ids
    return {row.id for change in changes for row in (change.before, change.after) if row and row.id is not None}


def kinds_of(changes: Iterable[Change]) -> Mapping[ChangeKind, int]:
    """How many changes of each kind there are."""
    return changes.kinds if isinstance(changes, StoredChanges) else Counter(change.kind for change in changes)
