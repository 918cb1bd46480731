"""An app whose rows stand at several positions: some were taken back from rewrites, others were recorded meanwhile.

An undo gives the rows of its run their old names. Rows that were recorded between the run and the undo stay as they
are: they bear names that the rewrite gave. So after an undo one app can hold old and new names, and each row has a
position of its own; after an undo of the undo too. For example, a rewrite makes 0003_b 0002_b, and 0004_c 0003_c. A run
renames the row of 0003_b, migrate records 0003_c, an undo brings 0003_b back: that row stands before the rewrite, and
0003_c, which was 0004_c before, stands after it. The journal tells which rewrites a target was taken back from, which
rows were taken back, and what they were called before that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from migsync.findings import Finding
from migsync.rewrites.name_history import NameHistory
from migsync.rewrites.record import Record
from migsync.rewrites.rows import TrackedRow, forward


@dataclass(frozen=True)
class Reversals:
    """`rewrites` are the ids that a target was taken back from at some time; it may have been through them again.

    `rows` pairs each row that was taken back with what it was before that. The first is None for a row that was
    removed then, the second for a row that came back.
    """

    rewrites: frozenset[str] = frozenset()
    rows: tuple[tuple[Record | None, Record | None], ...] = ()


NO_REVERSALS = Reversals()


PROVEN, POSSIBLE, AGAINST = 2, 1, 0


@dataclass(frozen=True)
class Split:
    """The records of an app where `base` is the position of most of them.

    `own` are at that position, `later` maps the id of each other record to its own position. `evidence` says how well
    the rows that were taken back fit in: 2 where the rewrites lead all of them to what they were before, 1 where the
    rewrites change all of them, else 0.
    """

    base: frozenset[str]
    own: tuple[Record, ...] = ()
    later: Mapping[int | None, frozenset[str]] = field(default_factory=dict)
    evidence: int = PROVEN

    def position(self, record: Record | None) -> frozenset[str]:
        """The position of one record, or of a row that is still to be inserted."""
        return self.later.get(record.id, self.base) if record else self.base


def onward(
    rows: Sequence[TrackedRow], name_history: NameHistory, split: Split, only: frozenset[str] | None = None
) -> tuple[list[TrackedRow], list[Finding]]:
    """The rows of an app through the rewrites that they have not been through, each from its own position.

    One rewrite after the other, so that rows which stand at different positions can collapse together. `only` limits
    the rewrites to these.
    """
    now, findings = list(rows), list[Finding]()
    for rewrite in name_history.steps:
        if only is not None and rewrite.id not in only:
            continue
        through = [row for row in now if rewrite.id not in split.position(row.origin)]
        rest = [row for row in now if rewrite.id in split.position(row.origin)]
        through, problems = forward(through, name_history.app, [rewrite])
        now = through + rest
        findings += problems
    return now, findings


def splits(
    name_history: NameHistory,
    records: Sequence[Record],
    touched: AbstractSet[str],
    candidates: Sequence[frozenset[str]],
    reversals: Reversals,
) -> list[Split]:
    """The ways to explain all `records` of an app; `touched` are the names that its rewrites change or give.

    Without an undo, all records are at one position. Of several ways those count that the journal proves, and of these
    the ones with the fewest records at a position of their own.
    """
    found = [split for base in candidates for split in _split(name_history, records, touched, base, reversals)]
    best = max((split.evidence for split in found), default=AGAINST)
    # What the journal speaks against is no explanation: without another one, the plan is refused.
    found = [split for split in found if split.evidence == best and best > AGAINST]
    fewest = min((len(split.later) for split in found), default=0)
    return [split for split in found if len(split.later) == fewest]


def _split(
    name_history: NameHistory,
    records: Sequence[Record],
    touched: AbstractSet[str],
    base: frozenset[str],
    reversals: Reversals,
) -> Iterator[Split]:
    # Names of some rewrite that do not exist at `base`: the records under them must stand elsewhere.
    strange = touched - name_history.names(base)
    own = [record for record in records if record.name not in strange]
    later: dict[int | None, frozenset[str]] = {}
    for record in records:
        if record.name in strange:
            position = _own_position(name_history, record, base, reversals) if reversals.rewrites else None
            if position is None:
                return
            later[record.id] = position
    split = Split(base, tuple(own), later)
    yield replace(split, evidence=_evidence(name_history, records, split, reversals))


def _own_position(
    name_history: NameHistory, record: Record, base: frozenset[str], reversals: Reversals
) -> frozenset[str] | None:
    """Where a record stands that was made before or after the others' way; None where nothing, or too much, fits.

    Where no rewrite that was taken back explains it, those on top of them count too: where such a rewrite changes no
    row, no journal has it.
    """
    rewrites = name_history.steps
    above = {one.id for one in rewrites if not name_history.rewrites.ancestors[one.id].isdisjoint(reversals.rewrites)}
    for may_differ in (reversals.rewrites, reversals.rewrites | above):
        # By outcome: several positions that lead the record to the same row are one answer.
        ways: dict[tuple[TrackedRow, ...], frozenset[str]] = {}
        for position in name_history.positions(base - may_differ):
            if position <= base | may_differ and record.name in name_history.names(position):
                after, _ = forward([TrackedRow.of(record)], name_history.app, name_history.remaining(position))
                ways[tuple(after)] = position
        if ways:
            return next(iter(ways.values())) if len(ways) == 1 else None
    return None


def _evidence(name_history: NameHistory, records: Sequence[Record], split: Split, reversals: Reversals) -> int:
    """How well the rows that were taken back fit in; see :class:`Split`.

    Rows that were changed or removed since, by other means, are left out. A row that was inserted has another id each
    time, so only its name is looked for. No row that was taken back stands before `base`.
    """
    changing = [rewrite for rewrite in name_history.steps if rewrite.id in reversals.rewrites]
    # No row of this app was taken back, so there is nothing to compare with.
    if not reversals.rows or not changing:
        return PROVEN
    if any(now and not split.position(now) >= split.base for now, _ in reversals.rows):
        return AGAINST
    after, _ = onward([TrackedRow.of(record) for record in records], name_history, split, reversals.rewrites)
    names = {row.origin.id: row.now and row.now.name for row in after if row.origin}
    inserted = {row.now.name for row in after if row.now and not row.origin}
    pairs = [(now, then) for now, then in reversals.rows if now is None or now.id in names]
    # The rewrites that were taken back, gone through once more, must lead each row to what it was before the undo.
    if all(
        names[now.id] == (then and then.name) if now else then is None or then.name in inserted for now, then in pairs
    ):
        return PROVEN

    def moves(record: Record) -> bool:
        steps = [one.apps[name_history.app] for one in changing if one.id not in split.position(record)]
        return any(step.origin or record.name in step.sources for step in steps)

    return POSSIBLE if all(moves(now) for now, _ in pairs if now) else AGAINST
