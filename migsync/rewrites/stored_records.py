"""The records of one target in little room: there may be thousands of targets, and most hold the same names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, overload

from migsync.rewrites.record import Record, as_records, fingerprints


class RecordNames(NamedTuple):
    """What targets share: the ids, the apps and the names of their records, in the order of the ids."""

    ids: tuple[int, ...]
    apps: tuple[str, ...]
    names: tuple[str, ...]


class StoredRecords(Sequence[Record]):
    """Records that are made anew each time that one of them is asked for. `applied` is a JSON array of their times."""

    __slots__ = ("_applied", "shared")

    def __init__(self, shared: RecordNames, applied: str) -> None:
        self.shared = shared
        self._applied = applied

    @property
    def applied(self) -> list[str | None]:
        """The time of each record, as the server writes it."""
        found: list[str | None] = json.loads(self._applied)
        return found

    def all(self) -> tuple[Record, ...]:
        """The records."""
        return as_records(zip(*self.shared, self.applied, strict=True))

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Record]: ...
    def __getitem__(self, place: int | slice) -> Record | Sequence[Record]:
        return self.all()[place]

    def __iter__(self) -> Iterator[Record]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.shared.ids)

    def __eq__(self, other: object) -> bool:
        return self.all() == tuple(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.all())


class StoredFingerprints(Mapping[str, str]):
    """:func:`migsync.rewrites.record.fingerprints` of `apps`, made when one of them is asked for."""

    def __init__(self, apps: Iterable[str], records: Callable[[], Iterable[Record]]) -> None:
        self._apps = dict.fromkeys(sorted(apps))
        self._records = records

    @cached_property
    def _found(self) -> dict[str, str]:
        return fingerprints(self._records(), self._apps)

    def __getitem__(self, app: str) -> str:
        return self._found[app]

    def __contains__(self, app: object) -> bool:
        return app in self._apps

    def __iter__(self) -> Iterator[str]:
        return iter(self._apps)

    def __len__(self) -> int:
        return len(self._apps)

    def __repr__(self) -> str:
        return repr(self._found)
