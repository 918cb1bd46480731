"""The records of one target in little room: there may be thousands of targets, and most hold the same names."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from json.encoder import encode_basestring_ascii
from threading import local
from typing import NamedTuple, cast, overload

from migsync.rewrites.record import Record, as_records, fingerprint


class RecordNames(NamedTuple):
    """What targets share: the ids, the apps and the names of their records, in the order of the ids."""

    ids: tuple[int, ...]
    apps: tuple[str, ...]
    names: tuple[str, ...]


_LAST = local()
"""The times of the records that this thread asked for last."""


class StoredRecords(Sequence[Record]):
    """Records that are made anew each time that one of them is asked for. `applied` is a JSON array of their times."""

    __slots__ = ("_applied", "shared")

    def __init__(self, shared: RecordNames, applied: str) -> None:
        self.shared = shared
        self._applied = zlib.compress(applied.encode(), 1)

    @property
    def applied(self) -> tuple[str | None, ...]:
        """The time of each record, as the server writes it."""
        # A target's times are asked for several times in a row, each target by one thread.
        kept, found = getattr(_LAST, "times", (None, ()))
        if kept is not self:
            found = tuple(json.loads(zlib.decompress(self._applied)))
            _LAST.times = self, found
        return cast("tuple[str | None, ...]", found)

    def all(self) -> tuple[Record, ...]:
        """The records."""
        return as_records(zip(*self.shared, self.applied, strict=True))

    def equals(self, records: Sequence[Record]) -> bool:
        """Whether these are the same records in the same order, column by column: no record is made for that."""
        columns = tuple(zip(*records, strict=True)) or ((), (), (), ())
        return columns[:3] == self.shared and columns[3] == self.applied

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


class HeldRecords(StoredRecords):
    """Those of a target that is worked on now: there is but one, so its times need not be small."""

    __slots__ = ("_times",)

    def __init__(self, shared: RecordNames, applied: tuple[str | None, ...]) -> None:
        self.shared = shared
        self._times = applied

    @property
    def applied(self) -> tuple[str | None, ...]:
        """As :attr:`StoredRecords.applied`."""
        return self._times


class FingerprintForm:
    """The fingerprints of records of which only the times are open: these are numbered in their order."""

    def __init__(self, records: Iterable[Record], apps: Iterable[str], places: Mapping[str, int]) -> None:
        """`places` has the numbers of the times of the `records`."""
        rows: dict[str, list[tuple[str, int]]] = {app: [] for app in sorted(apps)}
        for _, app, name, applied in records:
            if app in rows:
                rows[app].append((name, places[applied or ""]))
        self._forms = {
            app: [(f"[{json.dumps(name)}, ", place) for name, place in sorted(found)] for app, found in rows.items()
        }

    @property
    def apps(self) -> Iterable[str]:
        """The apps that have a fingerprint."""
        return self._forms

    def filled(self, times: Sequence[str]) -> dict[str, str]:
        """The fingerprints with these times, in their order."""
        texts = [f"{encode_basestring_ascii(time)}]" for time in times]
        return {
            app: fingerprint("[" + ", ".join([name + texts[place] for name, place in form]) + "]")
            for app, form in self._forms.items()
        }


class StoredFingerprints(Mapping[str, str]):
    """Fingerprints of `records` that are worked out when one of them is asked for.

    The `form` is filled with the times of the records. What it lacks is as in `others`.
    """

    def __init__(self, form: FingerprintForm, records: StoredRecords, others: Mapping[str, str] | None = None) -> None:
        self._form = form
        self._records = records
        self._others = others or {}

    def are_of(self, records: Sequence[Record]) -> bool:
        """Whether these are the records, so that nothing has to be worked out; never for fingerprints with `others`."""
        return not self._others and self._records.equals(records)

    @cached_property
    def _found(self) -> dict[str, str]:
        # Made again: to keep the times of thousands of targets takes much memory.
        times = sorted({text or "" for text in self._records.applied})
        found = {**self._others, **self._form.filled(times)}
        return {app: found[app] for app in sorted(found)}

    def __getitem__(self, app: str) -> str:
        return self._found[app]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._others, *self._form.apps}))

    def __len__(self) -> int:
        return len({*self._others, *self._form.apps})

    def __repr__(self) -> str:
        return repr(self._found)
