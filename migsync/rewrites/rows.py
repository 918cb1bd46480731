"""Rows on their way through rewrites: which name each has after one step, forward or backward."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from migsync.findings import Finding
from migsync.findings.rewrites import duplicate_records, partial_collapse
from migsync.history.migration import Key
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import AppRewrite, Rewrite


@dataclass(frozen=True, slots=True)
class TrackedRow:
    """A record on its way: `origin` is None for one that will be inserted, `now` is None for one that is removed."""

    origin: Record | None
    now: Record | None
    cause: str = ""

    @classmethod
    def of(cls, record: Record) -> TrackedRow:
        """A record that nothing has happened to yet."""
        return cls(record, record)

    @property
    def age(self) -> tuple[str, int]:
        """Sorts rows from the first applied to the last."""
        return self.now.age if self.now else ("", 0)

    def renamed(self, key: Key, cause: str) -> TrackedRow:
        """The row under another key, its id and `applied` kept."""
        if self.now is None or self.now.key == key:
            return self
        return replace(self, now=self.now._replace(app=key.app, name=key.name), cause=cause)

    def removed(self, cause: str) -> TrackedRow:
        """The row as one that will be deleted."""
        return replace(self, now=None, cause=cause)


def forward(
    rows: Sequence[TrackedRow], app: str, rewrites: Iterable[Rewrite]
) -> tuple[list[TrackedRow], list[Finding]]:
    """Take the rows of `app` through `rewrites`, one after the other; findings for what cannot be collapsed."""
    now, findings = list(rows), list[Finding]()
    for rewrite in rewrites:
        now, missing = _step(now, app, rewrite)
        findings += missing
    return now, findings


def _step(rows: Sequence[TrackedRow], app: str, rewrite: Rewrite) -> tuple[list[TrackedRow], list[Finding]]:
    change, cause = rewrite.apps[app], rewrite.label
    renames, removed = dict(change.renamed), set(change.removed)
    collapse_of = {old: number for number, (olds, _) in enumerate(change.collapsed) for old in olds}
    # The row of a squash that was there already belongs to the collapse, too: it says that all of it ran.
    collapse_of |= {news[0]: number for number, (_, news) in enumerate(change.collapsed) if news[0] in change.absorbing}
    now, findings = list[TrackedRow](), list[Finding]()
    # A collapse needs all of its rows at once. The others are decided one by one, each by the name that it had before
    # the step, so that swaps and chains of names need no order.
    collapsing: dict[int, list[tuple[str, TrackedRow]]] = {}
    for row in rows:
        name = row.now.name if row.now and row.now.app == app else ""
        if name in renames:
            now.append(row.renamed(Key(app, renames[name]), cause))
        elif name in removed:
            now.append(row.removed(cause))
        elif name in collapse_of:
            collapsing.setdefault(collapse_of[name], []).append((name, row))
        else:
            now.append(row)
    for number, found in collapsing.items():
        olds, news = change.collapsed[number]
        if any(name not in olds for name, _ in found):
            now += _absorb(found, olds, cause)
            continue
        # Some of the old names missing: neither to record the new name nor to leave it out would be true.
        ran = change.ran({name for name, _ in found})
        missing = [old for old in olds if old not in ran]
        if missing:
            findings.append(
                partial_collapse(
                    migration=Key(app, news[-1]),
                    other=Key(app, missing[-1]),
                    missing=missing,
                    names=news,
                    rewrite=rewrite.label,
                    file=rewrite.path,
                )
            )
        together = [row for _, row in found]
        now += together if missing else _collapse(together, app, news, cause)
    return now, findings


def _absorb(found: Sequence[tuple[str, TrackedRow]], olds: Collection[str], cause: str) -> list[TrackedRow]:
    """The squash's own row says that all of it ran: it stays as it is, and what it took up goes."""
    return [row.removed(cause) if name in olds else row for name, row in found]


def _collapse(rows: list[TrackedRow], app: str, news: Sequence[str], cause: str) -> list[TrackedRow]:
    """The last applied rows take the new names in order, earlier ones go, and further names copy the very last.

    Of the rows 1, 2, 3 and the new names a, b: 1 goes, 2 becomes a, 3 becomes b. Of 1 and the same names: 1 becomes a,
    and b is inserted with the time of 1.
    """
    # The last applied row is the one to keep: what the new name stands for had run in full only then.
    rows = sorted(rows, key=lambda row: row.age)
    spare = max(len(rows) - len(news), 0)
    kept = [row.renamed(Key(app, name), cause) for row, name in zip(rows[spare:], news, strict=False)]
    applied = rows[-1].now.applied if rows[-1].now else None
    inserted = [TrackedRow(None, Record(None, app, name, applied), cause) for name in news[len(kept) :]]
    return [row.removed(cause) for row in rows[:spare]] + kept + inserted


def backward(rows: Sequence[TrackedRow], app: str, rewrite: Rewrite) -> list[TrackedRow]:
    """Give rows that were recorded under the new names of `rewrite` the old ones, where no before-image exists.

    What stood for several migrations becomes several rows with the same `applied`.
    """
    change = rewrite.apps[app]
    label = change.origin or app
    olds_of: dict[str, tuple[str, ...]] = {new: (old,) for old, new in change.renamed}
    for olds, news in change.collapsed:
        # The last new name shows that all of them ran: its row becomes the old ones, and the rows of the others go.
        olds_of |= {new: olds if new == news[-1] else () for new in news}
    # The older files still have `replaces`: Django records a squash together with all that it replaces.
    olds_of |= {squash: (*olds, squash) for squash, olds in change.absorbing.items()}
    found: list[TrackedRow] = []
    for row in rows:
        if row.now is None or row.now.app != app:
            found.append(row)
            continue
        olds = olds_of.get(row.now.name, (row.now.name,))
        if not olds:
            found.append(row.removed(rewrite.label))
            continue
        found += [TrackedRow(None, Record(None, label, old, row.now.applied), rewrite.label) for old in olds[:-1]]
        found.append(row.renamed(Key(label, olds[-1]), rewrite.label))
    return found


def forward_names(names: Iterable[str], change: AppRewrite) -> set[str]:
    """The names that `names` become; a collapse is there as soon as one of its old names is."""
    became = {old: (new,) for old, new in change.renamed} | {
        old: news for olds, news in change.collapsed for old in olds
    }
    return {new for name in names if name not in change.removed for new in became.get(name, (name,))}


def dedupe(
    rows: Sequence[TrackedRow],
    apps: Collection[str],
    keep_earliest: bool,
    recorders: Callable[[], Mapping[Key, int]] = dict,
) -> tuple[list[TrackedRow], list[Finding]]:
    """Find several rows of one key in `apps`; with `keep_earliest` all but the first applied are removed.

    `recorders` counts the squashes that replace a key. Django records what each of them replaces, and does not look
    whether a row is there. So up to that many rows are no error, and all but the first are removed as well:
    :func:`with_duplicates` brings back those that nothing is to be done about.
    """
    keys = [row.now.key for row in rows if row.now is not None and row.now.app in apps]
    if len(set(keys)) == len(keys):
        return list(rows), []
    by_key: dict[Key, list[TrackedRow]] = {}
    for row in rows:
        if row.now is not None and row.now.app in apps:
            by_key.setdefault(row.now.key, []).append(row)
    doubles = {key: found for key, found in by_key.items() if len(found) > 1}
    allowed = {} if keep_earliest else recorders()
    open_ = {} if keep_earliest else {key: each for key, each in doubles.items() if len(each) > allowed.get(key, 1)}
    clear = [found for key, found in doubles.items() if key not in open_]
    spare = {id(row) for found in clear for row in sorted(found, key=lambda row: row.age)[1:]}
    return [row.removed("dedupe") if id(row) in spare else row for row in rows], [
        duplicate_records(migration=key, rows=[row.now.id or 0 for row in found if row.now])
        for key, found in open_.items()
    ]


def with_duplicates(rows: Sequence[TrackedRow], asked: bool) -> Sequence[TrackedRow]:
    """The rows with the duplicates that Django made, where the one that is kept does not change either.

    With `asked`, a person wants them removed.
    """
    if asked or not any(row.cause == "dedupe" for row in rows):
        return rows
    same = {row.now.key for row in rows if row.now and row.now == row.origin}
    return [
        TrackedRow.of(row.origin) if row.cause == "dedupe" and row.origin and row.origin.key in same else row
        for row in rows
    ]
