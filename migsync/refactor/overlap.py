"""Two migrations that make the same thing, so that one cannot run behind the other: which operations, and how equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from migsync.findings import Finding
from migsync.findings.overlap import cannot_run
from migsync.history import History, Key
from migsync.history.contents import Operation, PartKind

KINDS = {"field": (PartKind.FIELD, PartKind.LINK), "index": (PartKind.INDEX,), "constraint": (PartKind.INDEX,)}


class Overlap(NamedTuple):
    """What `later` makes with its operation `number` is made by operation `made` of `earlier`, from 1.

    `equal`: by the same operation. `missing` are fields of the model that only `later` creates, `extra` those that only
    `earlier` does. `covered`: whatever else `earlier` does, `later` does too, so that a database which ran `later`
    lacks nothing of `earlier`.
    """

    later: Key
    number: int
    earlier: Key
    made: int
    equal: bool
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    covered: bool


def with_overlap(finding: Finding, history: History, renamed: Mapping[Key, Key]) -> Finding:
    """The finding with what it takes to make both run; `renamed` maps keys of `history` to those in the finding."""
    if finding.code != cannot_run.code or finding.facts.get("action") != "adds" or not finding.other:
        return finding
    olds = {new: old for old, new in renamed.items()}
    later, earlier = (olds.get(key, key) for key in (Key(finding.app, finding.name), Key.parse(finding.other)))
    part = finding.facts.get("part")
    if not isinstance(part, list) or not {later, earlier} <= history.migrations.keys():
        return finding
    names = tuple(map(str, part))
    found = find_overlap(history, later, finding.operation, earlier, names)
    if found is None:
        return finding
    # They stand side by side, so either may come first: the one that does nothing else, if there is one.
    turned = find_overlap(history, earlier, found.made, later, names)
    if not found.covered and turned is not None and turned.covered:
        found = turned
    return finding.with_facts(
        later=found.later,
        earlier=found.earlier,
        number=found.number,
        made=found.made,
        equal=found.equal,
        missing=found.missing,
        extra=found.extra,
        covered=found.covered,
    )


def find_overlap(history: History, later: Key, number: int, earlier: Key, part: tuple[str, ...]) -> Overlap | None:
    """The overlap of two migrations at a part of the state; None where their files do not show it."""
    ours, theirs = (history.migrations[key].contents.operations for key in (later, earlier))
    if not 0 < number <= len(ours):
        return None
    own = ours[number - 1]
    made = next((place for place, each in enumerate(theirs, 1) if _makes(each, part)), 0)
    if not made:
        return None
    other = theirs[made - 1]
    mine, its = (set(_fields(each)) if _is_model(part) else set() for each in (own, other))
    extra = tuple(sorted(its - mine))
    covered = not extra and all(_does(each, ours) for each in theirs if each is not other)
    return Overlap(later, number, earlier, made, _equal(own, other), tuple(sorted(mine - its)), extra, covered)


def _equal(one: Operation, other: Operation) -> bool:
    return bool(one.exact) and one.comparable and one.exact == other.exact


def _does(operation: Operation, others: tuple[Operation, ...]) -> bool:
    return any(_equal(operation, each) for each in others)


def _is_model(part: tuple[str, ...]) -> bool:
    return part[0] in ("model", "table")


def _makes(operation: Operation, part: tuple[str, ...]) -> bool:
    if _is_model(part):
        # The finding may name the table alone; a file with one model of that table has it by the default name.
        names = {part[-1], part[-1].partition("_")[2]} if part[0] == "table" else {part[-1]}
        return operation.kind == "CreateModel" and operation.subject.lower() in names
    kinds = KINDS.get(part[0], ())
    return any(step.part in kinds and (step.model, step.name) == part[2:] for step in operation.steps)


def _fields(operation: Operation) -> Iterator[str]:
    return (step.name for step in operation.steps if step.part in (PartKind.FIELD, PartKind.LINK))
