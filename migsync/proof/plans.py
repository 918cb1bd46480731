"""What ``migrate`` would run on a target, before and after, compared as migrations and not as names: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from migsync.findings import Finding
from migsync.findings.proof import plan_conflict, plan_differs, plan_error, plan_order
from migsync.history import Key
from migsync.proof.identities import Identities
from migsync.worker.protocol import TargetPlan


@dataclass(frozen=True)
class Recorded:
    """The keys that one target's records hold: now, and once the proposal is committed and the target synced.

    The two are equal for a target that is not synced with the commit.
    """

    alias: str
    before: AbstractSet[Key]
    after: AbstractSet[Key]


FRESH = Recorded("", frozenset(), frozenset())


def compare_plans(target: Recorded, old: TargetPlan, new: TargetPlan, identities: Identities) -> Iterator[Finding]:
    """``migrate --plan`` must show what it would have shown had the history never been rewritten."""
    if new.error:
        # The same error before and after is none of the proposal's.
        if new.error != old.error:
            app, name = new.about or ("", "")
            yield plan_error(alias=target.alias, reason=new.error, app=app, name=name)
        return
    # Where the old files stop `migrate`, there is nothing to compare with.
    if old.error:
        return
    for app, names in new.conflicts.items():
        if app not in old.conflicts:
            yield plan_conflict(alias=target.alias, app=app, ends=names)
    here = identities.on_target(set(old.pending), set(new.pending))
    pending = [key for key in old.pending if not identities.has_run(key, target.before)]
    yield from _compare_pending(target, pending, new.pending, _edges(old), here)


def _compare_pending(
    target: Recorded,
    old: Sequence[Key],
    new: Sequence[Key],
    edges: Mapping[Key, Sequence[Key]],
    identities: Identities,
) -> Iterator[Finding]:
    expected = identities.of_keys(old)
    new = [key for key in new if key not in identities.merges]
    kept, known = set(new), set(expected)
    lost = [key for key in expected if key not in kept]
    extra = [key for key in new if key not in known]
    if lost:
        yield plan_differs(migration=lost[0], alias=target.alias, lost=lost)
    if extra:
        yield plan_differs(migration=extra[0], alias=target.alias, extra=extra)
    # An order is compared only where both run the same migrations: every key has a place then.
    if not lost and not extra and new != list(expected):
        yield from _order(target, new, edges, identities)


def _order(
    target: Recorded, new: Sequence[Key], edges: Mapping[Key, Sequence[Key]], identities: Identities
) -> Iterator[Finding]:
    """Among the orders that the old dependencies allow, Django's choice goes by names: another one is no fault.

    Migrations made from scratch need something else than the old ones did, and are needed for something else: of
    theirs, the schema and the rows are the proof.
    """
    place = {key: number for number, key in enumerate(new)}
    for child, parents in edges.items():
        if child.app in identities.anew:
            continue
        free = identities.unordered.get(child, frozenset())
        parents = [parent for parent in parents if parent.app not in identities.anew and parent not in free]
        for now in identities.of_key(child):
            for parent in _standing(parents, edges, identities):
                # Both may have gone into one new migration.
                if parent != now and place[parent] > place[now]:
                    yield plan_order(migration=now, other=parent, child=child, alias=target.alias)


def _standing(parents: Iterable[Key], edges: Mapping[Key, Sequence[Key]], identities: Identities) -> Iterator[Key]:
    """What stands for the parents now; for one that went, what stands for its own parents."""
    todo, seen = list(parents), set(parents)
    while todo:
        parent = todo.pop()
        now = identities.of_key(parent)
        yield from now
        if not now:
            todo.extend(above for above in edges.get(parent, ()) if above not in seen)
            seen.update(edges.get(parent, ()))


def _edges(plan: TargetPlan) -> dict[Key, list[Key]]:
    found: dict[Key, list[Key]] = {}
    for child, parent in plan.edges:
        found.setdefault(child, []).append(parent)
    return found
