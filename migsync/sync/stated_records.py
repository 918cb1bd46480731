"""Rows that are recorded, or whose record is removed: by ``--record`` and ``--unrecord``, or by ``migsync repair``.

Nobody proves a person's word. So it is refused where something speaks against it, and where ``migrate`` would not start
afterwards. The journal keeps the reason, and an undo takes it back like any run. A repair rests on what is in the
database, and needs no reason.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migsync.findings import Finding
from migsync.findings.stated import evidence_against_record, nothing_to_record, record_needs_others
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.record import Record, fingerprints
from migsync.rewrites.rows import TrackedRow
from migsync.sync.comparison import INFERRED, PRESENT, RECORD, RECORDED
from migsync.sync.empty_migrations import WITHOUT_OPERATIONS
from migsync.sync.journal.contents import Event, SeenContents
from migsync.sync.plan import Change, Plan
from migsync.sync.provenance import ContentSource, Provenance
from migsync.sync.undo import rows_after

if TYPE_CHECKING:
    from migsync.sync.target import Target

UNRECORD = "unrecord"
"""The cause of a change that removes a record on a person's word."""
ABSENT = "repair: absent"
"""The same of `migsync repair`: nothing that the migration makes is in the database."""
REPAIR = frozenset({PRESENT, INFERRED, ABSENT})
RAN = frozenset({ContentSource.GUARDED, ContentSource.STATED})
_FRACTION = re.compile(r"\.\d{6}$")


@dataclass(frozen=True)
class StatedRecords:
    """The migrations that are to be recorded, and those whose record is to go; all of them have files.

    `inferred` are those to record that leave no trace. With `repair`, what is in the database says so, and no person.
    """

    record: tuple[Key, ...] = ()
    unrecord: tuple[Key, ...] = ()
    inferred: frozenset[Key] = frozenset()
    repair: bool = False

    def __bool__(self) -> bool:
        return bool(self.record or self.unrecord)


NONE_STATED = StatedRecords()


def is_repair(plan: Plan) -> bool:
    """Whether a plan has a change that rests on what is in the database."""
    return any(change.cause in REPAIR for change in plan.changes)


def repaired(found: Mapping[str, Sequence[str]], history: History) -> StatedRecords:
    """What the database shows, as a request or a plan file has it; what has no file any more is left out."""
    record, unrecord, inferred = (
        tuple(key for text in found.get(name, ()) if (key := Key(*text.split(".", 1))) in history.migrations)
        for name in ("record", "unrecord", "inferred")
    )
    return StatedRecords(record, unrecord, frozenset(inferred), repair=True)


def is_stated(plan: Plan) -> bool:
    """Whether a plan has a change that rests on a person's word alone, so that it needs a reason."""
    return any(change.cause in (RECORD, UNRECORD) for change in plan.changes)


def state_records(
    history: History, rows: Sequence[TrackedRow], asked: StatedRecords, ran: Mapping[int, Provenance], *, stated: bool
) -> tuple[list[TrackedRow], list[Finding]]:
    """The rows, which have the names of today, with what is asked; and what is to be said of it.

    `ran` is what ran by the ids of the rows. With `stated` a person knows better than that.
    """
    # What a person states goes before what follows from the files.
    rows = [row for row in rows if not (row.cause == WITHOUT_OPERATIONS and row.now and row.now.key in asked.record)]
    before = {row.now.key: row.now for row in rows if row.now}
    coming = list(dict.fromkeys(each for key in asked.record for each in _with_replaced(history, key)))
    going = {each for key in asked.unrecord for each in _with_replaced(history, key)}
    removal = ABSENT if asked.repair else UNRECORD
    now = [row.removed(removal) if row.now and row.now.key in going else row for row in rows]
    now += [TrackedRow(None, Record(None, *key, None), _cause(asked, key)) for key in coming if key not in before]
    findings = [nothing_to_record(migration=key, record=True) for key in asked.record if key in before]
    findings += [nothing_to_record(migration=key, record=False) for key in asked.unrecord if key not in before]
    findings += _open_ends(history, {row.now.key for row in now if row.now}, asked)
    for key in sorted(going & before.keys()):
        known = ran.get(before[key].id or 0)
        if known and known.source in RAN and not known.unapplied:
            guarded = known.source is ContentSource.GUARDED
            findings.append(evidence_against_record(migration=key, record=False, guarded=guarded, stated=stated))
    return now, findings


def _cause(asked: StatedRecords, key: Key) -> str:
    if not asked.repair:
        return RECORD
    return INFERRED if key in asked.inferred else PRESENT


def _with_replaced(history: History, key: Key) -> list[Key]:
    """A migration, after all that it replaces: Django counts a squash as applied only together with these."""
    found: dict[Key, None] = {}
    todo = [key]
    while todo:
        each = todo.pop()
        if each not in found:
            found[each] = None
            todo += history.migrations[each].replaces if each in history.migrations else ()
    return list(reversed(found))


def _open_ends(history: History, recorded: Collection[Key], asked: StatedRecords) -> Iterator[Finding]:
    """What would be recorded without something that it depends on."""
    state = history.state(frozenset(recorded))
    for key in asked.record:
        if missing := {parent for child, parent in state.inconsistent if child == key}:
            needed = history.ancestors(missing) & state.nodes - state.applied
            yield _needs(history, key, missing | needed, record=True)
    for key in asked.unrecord:
        if key in {parent for _, parent in state.inconsistent}:
            above = {each for each in state.applied if each != key and key in history.ancestors([each])}
            yield _needs(history, key, above, record=False)


def _needs(history: History, key: Key, others: Iterable[Key], *, record: bool) -> Finding:
    place = {each: number for number, each in enumerate(history.order)}
    order = sorted(others, key=lambda each: place.get(each, 0), reverse=not record)
    own = [each for each in order if each.app in history.first_party]
    return record_needs_others(
        migration=key, record=record, others=own, foreign=[each for each in order if each not in own]
    )


def with_unapplied(seen: Iterable[SeenContents], plan: Plan, *, stated: bool) -> Plan:
    """The plan, with an error for each migration that it records although ``migrate`` was seen to unapply it last."""
    recorded = {change.after.key for change in plan.changes if change.cause in RECORDED and change.after}
    if not recorded:
        return plan
    last = {each.key: each.event for each in seen}
    found = [
        evidence_against_record(migration=key, record=True, stated=stated)
        for key in sorted(recorded)
        if last.get(key) is Event.UNAPPLIED
    ]
    return replace(plan, findings=(*found, *plan.findings))


def waits_for_time(plan: Plan) -> bool:
    """Whether a plan records a migration at the time of the run, which is not known yet."""
    return any(map(_waits, plan.changes))


def timed(plan: Plan, target: Target, *, use_tz: bool) -> Plan:
    """The plan :func:`with_time`; the target is read only if the plan waits for the time."""
    if not waits_for_time(plan):
        return plan
    return with_time(plan, target.read() or (), target.behaviour.applied_form, use_tz=use_tz)


def with_time(plan: Plan, records: Sequence[Record], form: str, *, use_tz: bool) -> Plan:
    """The plan with the present time as `applied` of what it records; `records` are all rows of its target.

    `form` is how the server writes a time, for strftime; the newest row shows it better, where there is one.
    """
    if not waits_for_time(plan):
        return plan
    sample = next((text for record in reversed(records) if (text := record.applied or "")[:1].isdigit()), "")
    if sample:
        form = "%Y-%m-%d %H:%M:%S" + (
            "+00" if sample.endswith("+00") else ".000000" if _FRACTION.search(sample) else ""
        )
    # As Django writes it: without time zones the column holds the time of the machine.
    moment = datetime.now(UTC) if use_tz or form.endswith("+00") else datetime.now()
    applied = moment.strftime(form)
    changes = tuple(
        replace(change, after=change.after._replace(applied=applied)) if _waits(change) and change.after else change
        for change in plan.changes
    )
    before = {record.id: record for record in records}
    if any(change.before and before.get(change.before.id) != change.before for change in changes):
        return plan  # stale, which is for those to say who carry it out
    after = fingerprints(rows_after(records, changes), plan.fingerprints_after)
    return replace(plan, changes=changes, fingerprints_after=after)


def _waits(change: Change) -> bool:
    return (
        change.cause in RECORDED and change.before is None and change.after is not None and change.after.applied is None
    )
