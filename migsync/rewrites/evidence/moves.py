"""Records whose operations are in a file of another name now, although every name fits: exchanges, shifts and unions.

Names say nothing here. What ran under the records is compared with the files on disk, operation by operation: files and
records that share operations belong together, and where both sides have the same ones, the records became these files.
A *released name* is one whose operations are in other files now, while nothing of its file of today ran: that file is
still to run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from migsync.history.contents import Contents
from migsync.history.tables import TableState
from migsync.rewrites.file_state import FileState


@dataclass(frozen=True)
class Moves:
    """What became of some names: `renamed` old to new, `united` each new name with the old ones, `emptied` gone.

    What is `emptied` had no operations, and its name belongs to another file now.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    united: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    emptied: tuple[str, ...] = ()

    @property
    def olds(self) -> frozenset[str]:
        """Every old name that changes or goes."""
        return frozenset(self.renamed).union(self.emptied, *self.united.values())

    def __bool__(self) -> bool:
        return bool(self.renamed or self.united)


NO_MOVES = Moves()


def find_moves(disk: FileState, recorded: Sequence[str], ran: Mapping[str, Contents]) -> Moves:
    """What became of the `recorded` names, in the order of their rows; `ran` is what ran under them, where certain.

    Of the others, the file of today counts. Nothing, where operations are missing or were added, where only running a
    file shows them, or where ``migrate`` would not start afterwards.
    """
    if not ran or disk.replaced or any(name not in ran and name not in disk.migrations for name in recorded):
        return NO_MOVES
    files = {name: file.contents for name, file in disk.migrations.items()}
    old = {name: ran[name] if name in ran else files[name] for name in recorded}
    kept = {name for name, contents in old.items() if name in files and contents.same_effect(files[name])}
    left = {name: contents for name, contents in old.items() if name not in kept}
    open_files = {name: contents for name, contents in files.items() if name not in kept}
    if not left or not all(each.comparable for each in left.values()):
        return NO_MOVES
    found = _moves(left, open_files)
    after = kept.union(found.renamed.values(), found.united) if found else kept
    sound = found.olds == left.keys() and disk.closed(after) and _same_tables(disk, old.values(), after)
    # Where no old name is on disk, the names tell more.
    return found if found and sound and found.olds & files.keys() else NO_MOVES


def _moves(old: Mapping[str, Contents], new: Mapping[str, Contents]) -> Moves:
    renamed: dict[str, str] = {}
    united: dict[str, tuple[str, ...]] = {}
    for olds, news in _together(old, new):
        same = _effects(old[name] for name in olds) == _effects(new[name] for name in news)
        if not same or len(news) != 1 or not all(new[name].comparable for name in news):
            continue
        if len(olds) == 1:
            renamed[olds[0]] = news[0]
        else:
            united[news[0]] = olds
    emptied = tuple(name for name, contents in old.items() if not contents.effects and name in new)
    return Moves(renamed, united, emptied)


def _together(
    old: Mapping[str, Contents], new: Mapping[str, Contents]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Old and new names that share operations, also through others."""
    open_olds = [name for name, contents in old.items() if contents.effects]
    while open_olds:
        olds, news, effects = {open_olds[0]}, set[str](), set(old[open_olds[0]].effects)
        size = -1
        while size != len(effects):
            size = len(effects)
            olds |= {name for name in open_olds if effects & set(old[name].effects)}
            news |= {name for name, contents in new.items() if effects & set(contents.effects)}
            effects = effects.union(*(old[name].effects for name in olds), *(new[name].effects for name in news))
        open_olds = [name for name in open_olds if name not in olds]
        yield tuple(name for name in old if name in olds), tuple(name for name in new if name in news)


def unrecorded(disk: FileState, state: FileState, moves: Moves, recorded: Sequence[str]) -> dict[str, str]:
    """What became of the files of an old `state` that are not recorded here: another database may have their names."""
    taken = {*moves.renamed.values(), *moves.united}
    open_files = [name for name in state.migrations if name not in recorded]
    times = Counter(state.digests[name] for name in open_files)
    found: dict[str, str] = {}
    for name in open_files:
        digest = state.digests[name]
        news = [new for new in disk.bearers.get(digest, ()) if new not in taken]
        changed = len(news) == 1 and news[0] != name and disk.digests.get(name) != digest
        if changed and times[digest] == 1 and disk.migrations[news[0]].operations:
            found[name] = news[0]
    return found


def _effects(contents: Iterable[Contents]) -> Counter[str]:
    return Counter(effect for each in contents for effect in each.effects)


def _same_tables(disk: FileState, ran: Iterable[Contents], after: set[str]) -> bool:
    """Whether what ran has made just what the files with the names `after` make."""
    there, claimed = TableState(), TableState()
    for contents in ran:
        there.run(contents.operations)
    for name in disk.order or ():
        if name in after:
            claimed.run(disk.migrations[name].contents.operations)
    return there == claimed
