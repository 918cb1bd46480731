"""Random histories of names with the truth beside them, for tests of the planner.

Every migration is a set of atoms, which renames keep and collapses unite. Names are drawn from a small pool, so that
they are used again all the time. A squash stands beside what it replaces until it is tidied; as Django has it, it is
recorded once all of that is.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from migsync.history import App, History, Migration, build_history
from migsync.history.migration import Key
from migsync.rewrites.name_changes import NameChanges, make_rewrite
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_graph import Rewrites

POOL = [f"{number:04}_{word}" for number in range(1, 5) for word in ("a", "b")]
Atoms = frozenset[int]


@dataclass
class Epoch:
    """The truth at one time: names and parents of each migration, in an order in which they can be applied."""

    names: dict[Atoms, str]
    parents: dict[Atoms, set[Atoms]]
    replaced: dict[Atoms, tuple[Atoms, Atoms]] = field(default_factory=dict)

    def files(self) -> dict[str, Migration]:
        return {name: self._file(atoms, name) for atoms, name in self.names.items()}

    def _file(self, atoms: Atoms, name: str) -> Migration:
        replaced = self.replaced.get(atoms, ())
        ups = self.parents[replaced[0] if replaced else atoms]
        return Migration(
            Key("shop", name),
            dependencies=tuple(Key("shop", self.names[up]) for up in ups),
            replaces=tuple(Key("shop", self.names[part]) for part in replaced),
            digest=f"digest of {sorted(atoms)}",
        )

    @property
    def in_transition(self) -> set[Atoms]:
        return {atoms for squash, parts in self.replaced.items() for atoms in (squash, *parts)}

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


def next_epoch(epoch: Epoch, rng: random.Random, number: int, *, squashes: bool = True) -> tuple[Epoch, NameChanges]:
    """Rename some, perhaps unite two neighbours or tidy a squash of them, perhaps remove a merge.

    With `squashes` two neighbours may also get a squash that stands beside them from now on.
    """
    united: dict[Atoms, Atoms] = {}
    pairs = [
        (low, high)
        for high, ups in epoch.parents.items()
        for low in ups
        if len(ups) == 1 and sum(low in other for other in epoch.parents.values()) == 1
        if not epoch.in_transition & {low, high}
    ]
    tidied = {squash for squash in epoch.replaced if rng.random() < 0.5}
    for squash in tidied:
        united |= dict.fromkeys(epoch.replaced[squash], squash)
    if pairs and not tidied and rng.random() < 0.4:
        low, high = rng.choice(pairs)
        united = {low: low | high, high: low | high}
        pairs = []
    merges = [atoms for atoms, ups in epoch.parents.items() if len(ups) > 1 and atoms not in epoch.in_transition]
    merges = [atoms for atoms in merges if atoms not in united]
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
    new.replaced = {squash: parts for squash, parts in epoch.replaced.items() if squash not in tidied}
    for squash in tidied:
        new.parents[squash] -= {squash}
    staying = {atoms for atoms in new.parents if atoms in epoch.names and (atoms in tidied or rng.random() < 0.5)}
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
        collapsed=[
            (tuple(epoch.names[part] for part in epoch.names if united.get(part) == whole), (new.names[whole],))
            for whole in dict.fromkeys(united.values())
        ],
        removed=[epoch.names[atoms] for atoms in gone],
    )
    pairs = [(low, high) for low, high in pairs if new.parents.get(high) == {low}]
    fresh = [name for name in free if name not in epoch.names.values()]
    if squashes and pairs and fresh and rng.random() < 0.4:
        low, high = rng.choice(pairs)
        new.names[low | high], new.parents[low | high] = fresh.pop(), {low, high}
        new.replaced[low | high] = (low, high)
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
        parts = [atoms] if atoms in rows or atoms in final.replaced else [old for old in rows if old <= atoms]
        mine = [rows[old] for old in parts if old in rows]
        covered = frozenset().union(*parts)
        if mine and covered != atoms:
            return None
        if mine:
            found.append(max(mine, key=lambda row: row.age)._replace(name=name))
    return sorted(found, key=lambda row: row.id or 0)


def build(rng: random.Random, with_files: bool) -> tuple[list[Epoch], Rewrites]:
    epochs, known = [first_epoch(rng)], Rewrites()
    for number in range(1, rng.randint(1, 3) + 1):
        epoch, changes = next_epoch(epochs[-1], rng, number, squashes=with_files)
        history = epoch.history()
        made: Rewrite | None = None
        if list(changes.olds()):
            made = make_rewrite(
                history,
                {"shop": changes},
                parents=known.heads(()),
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
