"""Random histories of one app, with the identity of every migration followed, whatever its name becomes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

from migsync.history import Key, Migration, build_history
from migsync.history.contents import Contents, Operation
from migsync.history.graph import History
from migsync.rewrites.file_state import FileState, topological_order

NO_OPERATIONS = "-"


@dataclass(frozen=True)
class File:
    """A migration as the test knows it: `identity` stays with it through renames and edits."""

    identity: int
    operations: str
    parents: tuple[str, ...]
    replaces: tuple[str, ...] = ()
    wording: int = 0
    """Of what no database sees."""

    @property
    def contents(self) -> Contents:
        return Contents((Operation("RunSQL", f"{self.operations}, wording {self.wording}", self.operations),))

    @property
    def digest(self) -> str:
        return self.contents.digest


Files = dict[str, File]


@dataclass
class Evolution:
    """Files that change step by step; some steps are committed, and at committed states a database is migrated."""

    files: Files = field(default_factory=dict)
    commits: list[Files] = field(default_factory=list)
    records: dict[str, int] = field(default_factory=dict)
    ran: dict[str, File] = field(default_factory=dict)
    squashed: dict[int, frozenset[int]] = field(default_factory=dict)
    counter: itertools.count = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.files["0001_initial"] = self._fresh(())
        self.commit()

    def step(self, kind: str, first: int, second: int, third: int) -> None:
        getattr(self, f"do_{kind}")(first, second, third)

    # What people do to migrations

    def do_add(self, first: int, second: int, third: int) -> None:
        """A new migration after the last one, or somewhere else; its name may have been used before."""
        if name := self._free(second):
            parent = self._some(first) if third % 3 == 0 else self._order()[-1]
            self.files[name] = self._fresh((parent,))

    def do_twin(self, first: int, second: int, _: int) -> None:
        """A new migration with the operations of another."""
        if name := self._free(second):
            parent = self._order()[-1]
            self.files[name] = replace(self._fresh((parent,)), operations=self.files[self._some(first)].operations)

    def do_empty(self, first: int, second: int, _: int) -> None:
        if name := self._free(second):
            self.files[name] = replace(self._fresh((self._some(first),)), operations=NO_OPERATIONS)

    def do_insert(self, first: int, second: int, _: int) -> None:
        """A new migration before an existing one."""
        below = self._some(first)
        if (name := self._free(second)) and self.files[below].parents:
            self.files[name] = self._fresh(self.files[below].parents)
            self.files[below] = replace(self.files[below], parents=(name,))

    def do_merge(self, first: int, second: int, third: int) -> None:
        leaves = self._leaves()
        if len(leaves) > 1 and (name := self._free(first)):
            parents = tuple(dict.fromkeys((leaves[second % len(leaves)], leaves[third % len(leaves)])))
            if len(parents) > 1:
                self.files[name] = replace(self._fresh(parents), operations=NO_OPERATIONS)

    def do_remove_merge(self, first: int, *_: int) -> None:
        """A merge is deleted, and what it merged becomes a line."""
        merges = [name for name, file in self.files.items() if _is_merge(file)]
        if not merges:
            return
        merge = merges[first % len(merges)]
        one, *others = self.files[merge].parents
        branch = self._only_above(others[-1], one)
        files = dict(self.files)
        for name, file in files.items():
            if name in branch and not set(file.parents) & branch:
                files[name] = replace(file, parents=(one,))
            elif merge in file.parents:
                parents = tuple(others[-1] if up == merge else up for up in file.parents)
                files[name] = replace(file, parents=tuple(dict.fromkeys(parents)))
        del files[merge]
        if topological_order({name: file.parents for name, file in files.items()}) is not None:
            self.files = files

    def do_rename(self, first: int, second: int, _: int) -> None:
        if name := self._free(second):
            self._rename({self._some(first): name})

    def do_swap(self, first: int, second: int, _: int) -> None:
        one, other = self._some(first), self._some(second)
        self._rename({one: other, other: one})

    def do_renumber(self, first: int, *_: int) -> None:
        """All files get numbers in their order; the part after the number stays."""
        start = first % 2 + 1
        names = {old: f"{number:04}_{old[5:]}" for number, old in enumerate(self._order(), start)}
        replaced = {old for file in self.files.values() for old in file.replaces}
        if len(set(names.values())) == len(names) and not replaced - self.files.keys() & set(names.values()):
            self._rename(names)

    def do_edit(self, first: int, *_: int) -> None:
        """Other operations under the same name: still the same migration."""
        name = self._some(first)
        self.files[name] = replace(self.files[name], operations=self._fresh(()).operations)

    def do_reword(self, first: int, second: int, _: int) -> None:
        """An edit that no database sees."""
        name = self._some(first)
        self.files[name] = replace(self.files[name], wording=second)

    def do_delete(self, first: int, *_: int) -> None:
        leaves = self._leaves()
        if len(self.files) > 1:
            del self.files[leaves[first % len(leaves)]]

    def do_replace(self, first: int, *_: int) -> None:
        """Another migration takes the place and the name of one that goes."""
        name = self._some(first)
        self.files[name] = self._fresh(self.files[name].parents)

    def do_squash(self, first: int, second: int, _: int) -> None:
        """A squash beside what it replaces, as squashmigrations writes it; later migrations follow the squash."""
        name, order = self._free(second), self._order()
        start = first % len(order)
        chosen = order[start : start + 2]
        chained = len(chosen) == 2 and self.files[chosen[1]].parents == (chosen[0],)
        if name and chained and not any(self.files[old].replaces for old in chosen):
            for below, file in self.files.items():
                if below not in chosen:
                    parents = tuple(name if up in chosen else up for up in file.parents)
                    self.files[below] = replace(file, parents=tuple(dict.fromkeys(parents)))
            squash = self._fresh(self.files[chosen[0]].parents)
            self.files[name] = replace(squash, replaces=tuple(chosen))
            self.squashed[squash.identity] = frozenset(self.files[old].identity for old in chosen)

    def do_settle(self, *_: int) -> None:
        """The end of a squash's transition: its `replaces` goes, and the files that it names go."""
        for name, file in list(self.files.items()):
            if file.replaces and set(file.replaces) <= self.files.keys():
                files = {}
                for other, kept in self.files.items():
                    if other not in file.replaces:
                        parents = tuple(dict.fromkeys(name if up in file.replaces else up for up in kept.parents))
                        files[other] = replace(kept, parents=parents, replaces=() if other == name else kept.replaces)
                if topological_order({other: kept.parents for other, kept in files.items()}) is not None:
                    self.files = files
                    return

    # What git and the database see

    def do_commit(self, *_: int) -> None:
        self.commit()

    def commit(self) -> None:
        self.commits.insert(0, dict(self.files))
        for file in self.files.values():
            seen = {self.files[old].identity for old in file.replaces if old in self.files}
            self.squashed[file.identity] = self.squashed.get(file.identity, frozenset()) | seen

    def do_migrate(self, first: int, *_: int) -> None:
        """Bring the database up to some migration, where the files are committed and fit the records."""
        if self.files == self.commits[0] and self._fits() and not any(file.replaces for file in self.files.values()):
            wanted = [self._some(first)]
            while wanted:
                name = wanted.pop()
                self._run(name)
                wanted += self.files[name].parents

    def do_checkout(self, first: int, *_: int) -> None:
        """Work goes on from an older commit, as on another branch."""
        self.files = dict(self.commits[first % len(self.commits)])

    def do_migrate_apart(self, first: int, *_: int) -> None:
        """`migrate` up to some file, where records have no file: of another branch, or renamed meanwhile."""
        if self.files != self.commits[0] or not self._starts() or any(file.replaces for file in self.files.values()):
            return
        name = self._some(first)
        new = {name, *self._ancestors(name)} - self.records.keys()
        # What ran is not run again: `migrate` would fail.
        if not any(self._ran(self.files[name].identity) for name in new):
            for name in sorted(new, key=self._order().index):
                self._run(name)

    def _run(self, name: str) -> None:
        self.records.setdefault(name, self.files[name].identity)
        self.ran.setdefault(name, self.files[name])

    def _starts(self) -> bool:
        """True when `migrate` starts, and no name stands for another migration."""
        return all(
            self.files[name].identity == identity and self.records.keys() >= set(self.files[name].parents)
            for name, identity in self.records.items()
            if name in self.files
        )

    def _ran(self, identity: int) -> bool:
        """True when a migration, or one that nobody can tell from it, ran, by itself or in a squash."""
        ran = set(self.records.values())
        parts = self.squashed.get(identity, frozenset())
        wholes = {new for new, olds in self.squashed.items() if identity in olds}
        return bool(ran & (parts | wholes)) or any(one == identity or self.alike_to_all(one, identity) for one in ran)

    def _fits(self) -> bool:
        """True when each record means the file of its name, and what has no file has gone for good."""
        alive = {file.identity for file in self.files.values()}
        for name, identity in self.records.items():
            if name in self.files and self.files[name].identity != identity:
                return False
            if name not in self.files and (identity in alive or self._has_heir(identity)):
                return False
            if any(identity in olds for new, olds in self.squashed.items() if new in alive):
                return False
        return all(up in self.records for name in self.records if name in self.files for up in self.files[name].parents)

    def _has_heir(self, identity: int) -> bool:
        """True when another file has the operations of a deleted one that git never showed beside it.

        Nobody can tell that from a rename.
        """
        return any(self.alike_to_all(identity, file.identity) for file in self.files.values())

    def alike_to_all(self, one: int, other: int) -> bool:
        """True when all that anybody can see of two identities is one file, or one effect, in different states."""
        every = (self.files, *self.commits)
        by_effect = [{file.identity: file.operations for file in state.values()} for state in every]
        by_source = [{file.identity: file.digest for file in state.values()} for state in every]
        return any(_is_one_thing(states, one, other) for states in (by_effect, by_source))

    # As values of migsync

    def history(self) -> History:
        return build_history(_migrations(self.files).values())

    def states(self) -> list[FileState]:
        return [FileState(f"git {index}", _migrations(state)) for index, state in enumerate(self.commits)]

    def recorded(self) -> list[str]:
        return list(self.records)

    def seen(self, every: int) -> dict[str, Contents]:
        """What ran, as the guard of `migrate` saw it, of one record in `every`."""
        return {name: file.contents for name, file in list(self.ran.items())[::every]}

    # The parts

    def _fresh(self, parents: tuple[str, ...]) -> File:
        number = next(self.counter)
        return File(number, f"operations {number}", parents)

    def _some(self, index: int) -> str:
        order = self._order()
        return order[index % len(order)]

    def _free(self, index: int) -> str | None:
        """A name that no file has now and no squash replaces; there are few, so that names are used again."""
        names = [f"{number:04}_{suffix}" for number in range(1, 5) for suffix in "ab"]
        name = names[index % len(names)]
        replaced = {old for file in self.files.values() for old in file.replaces}
        return None if name in self.files or name in replaced else name

    def _order(self) -> tuple[str, ...]:
        order = topological_order({name: file.parents for name, file in self.files.items()})
        assert order is not None
        return order

    def _leaves(self) -> list[str]:
        parents = {up for file in self.files.values() for up in file.parents}
        return sorted(self.files.keys() - parents)

    def _only_above(self, name: str, other: str) -> set[str]:
        return self._ancestors(name) - self._ancestors(other)

    def _ancestors(self, name: str) -> set[str]:
        found, waiting = set(), [name]
        while waiting:
            found.add(top := waiting.pop())
            waiting += self.files[top].parents
        return found

    def _rename(self, names: dict[str, str]) -> None:
        self.files = {
            names.get(name, name): replace(
                file,
                parents=tuple(names.get(up, up) for up in file.parents),
                replaces=tuple(names.get(up, up) for up in file.replaces),
            )
            for name, file in self.files.items()
        }


STEPS = sorted(name.removeprefix("do_") for name in vars(Evolution) if name.startswith("do_"))


def _is_one_thing(states: list[dict[int, str]], one: int, other: int) -> bool:
    common = {state[one] for state in states if one in state} & {state[other] for state in states if other in state}
    together = any(one in state and other in state and state[one] == state[other] for state in states)
    return bool(common) and not together


def _is_merge(file: File) -> bool:
    return file.operations == NO_OPERATIONS and len(file.parents) > 1


def _migrations(files: Files) -> dict[str, Migration]:
    return {
        name: Migration(
            Key("shop", name),
            dependencies=tuple(Key("shop", up) for up in file.parents),
            replaces=tuple(Key("shop", old) for old in file.replaces),
            operations=file.operations != NO_OPERATIONS,
            digest=file.digest,
            contents=file.contents,
        )
        for name, file in files.items()
    }
