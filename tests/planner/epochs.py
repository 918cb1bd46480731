"""Random histories of names with the truth beside them, for tests of the planner.

Every migration is a set of atoms, which renames keep and collapses unite. Names are drawn from a small pool, so that
they are used again all the time.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from migsync.history import App, History, Migration, build_history
from migsync.history.migration import Key
from migsync.records.record import Record
from migsync.rewrites.make import NameChanges, make_rewrite
from migsync.rewrites.order import Rewrites
from migsync.rewrites.rewrite import Rewrite

POOL = [f"{number:04}_{word}" for number in range(1, 5) for word in ("a", "b")]
Atoms = frozenset[int]


@dataclass
class Epoch:
    """The truth at one time: names and parents of each migration, in an order in which they can be applied."""

    names: dict[Atoms, str]
    parents: dict[Atoms, set[Atoms]]

    def files(self) -> dict[str, Migration]:
        return {
            name: Migration(
                Key("shop", name), dependencies=tuple(Key("shop", self.names[up]) for up in self.parents[atoms])
            )
            for atoms, name in self.names.items()
        }

    def history(self) -> History:
        return build_history(self.files().values(), apps=[App("shop", "/p/shop")])


def first_epoch(rng: random.Random) -> Epoch:
    epoch = Epoch({}, {})
    for atom in range(rng.randint(1, 5)):
        add(epoch, rng, atom)
    return epoch


def add(epoch: Epoch, rng: random.Random, atom: int) -> None:
    free = [name for name in POOL if name not in epoch.names.values()]
    if free:
        known = list(epoch.names)
        ups = rng.sample(known, min(len(known), rng.choice([1, 1, 1, 2])))
        epoch.names[frozenset({atom})] = rng.choice(free)
        epoch.parents[frozenset({atom})] = set(ups)


def next_epoch(epoch: Epoch, rng: random.Random, number: int) -> tuple[Epoch, NameChanges]:
    """Rename some, perhaps unite two neighbours, perhaps remove a merge; then perhaps add a new migration."""
    united: dict[Atoms, Atoms] = {}
    pairs = [
        (low, high)
        for high, ups in epoch.parents.items()
        for low in ups
        if len(ups) == 1 and sum(low in other for other in epoch.parents.values()) == 1
    ]
    if pairs and rng.random() < 0.4:
        low, high = rng.choice(pairs)
        united = {low: low | high, high: low | high}
    merges = [atoms for atoms, ups in epoch.parents.items() if len(ups) > 1 and atoms not in united]
    gone = {rng.choice(merges)} if merges and rng.random() < 0.5 else set()

    def ups_of(atoms: Atoms) -> set[Atoms]:
        found: set[Atoms] = set()
        for up in epoch.parents[atoms]:
            found |= ups_of(up) if up in gone else {united.get(up, up)}
        return found - {united.get(atoms, atoms)}

    new = Epoch({}, {})
    for atoms in epoch.names:
        if atoms not in gone:
            new.parents.setdefault(united.get(atoms, atoms), set()).update(ups_of(atoms))
    staying = {atoms for atoms in new.parents if atoms in epoch.names and rng.random() < 0.5}
    free = [name for name in POOL if name not in {epoch.names[atoms] for atoms in staying}]
    rng.shuffle(free)
    for atoms in new.parents:
        new.names[atoms] = epoch.names[atoms] if atoms in staying else free.pop()
    changes = NameChanges(
        renamed={
            epoch.names[atoms]: name
            for atoms, name in new.names.items()
            if atoms in epoch.names and epoch.names[atoms] != name
        },
        collapsed=[((epoch.names[low], epoch.names[high]), (new.names[low | high],))] if united else [],
        removed=[epoch.names[atoms] for atoms in gone],
    )
    return new, changes


def created(number: int) -> str:
    return f"2026-{number + 1:02}-01T00:00:00Z"


def closed_rows(epoch: Epoch, rng: random.Random, number: int) -> dict[Atoms, Record]:
    """What a database that knew only this epoch can have recorded, one minute apart."""
    rows: dict[Atoms, Record] = {}
    count = rng.randint(0, len(epoch.names))
    while len(rows) < count:
        ready = [atoms for atoms in epoch.names if atoms not in rows and epoch.parents[atoms] <= rows.keys()]
        chosen = rng.choice(ready)
        at = f"2026-{number + 1:02}-02 00:{len(rows):02}:00"
        rows[chosen] = Record(len(rows) + 1, "shop", epoch.names[chosen], at)
    return rows


def expected(final: Epoch, rows: Mapping[Atoms, Record]) -> list[Record] | None:
    """The true rows under the names of `final`; None when a collapse finds only some of its migrations."""
    found = []
    for atoms, name in final.names.items():
        mine = [row for old, row in rows.items() if old <= atoms]
        covered = frozenset().union(*(old for old in rows if old <= atoms))
        if mine and covered != atoms:
            return None
        if mine:
            found.append(max(mine, key=lambda row: row.age)._replace(name=name))
    return sorted(found, key=lambda row: row.id or 0)


def build(rng: random.Random, with_files: bool) -> tuple[list[Epoch], Rewrites]:
    epochs, known = [first_epoch(rng)], Rewrites()
    for number in range(1, rng.randint(1, 3) + 1):
        epoch, changes = next_epoch(epochs[-1], rng, number)
        history = epoch.history()
        made: Rewrite | None = None
        if list(changes.olds()):
            made = make_rewrite(
                history,
                {"shop": changes},
                parents=known.heads,
                command="rewrite",
                created=created(number),
                old_files={"shop": epochs[-1].files()} if with_files else None,
                made_with_files=with_files,
            )
        if rng.random() < 0.5:
            add(epoch, rng, 100 + number)
        known = known.with_proposed(made)
        epochs.append(epoch)
    return epochs, known
