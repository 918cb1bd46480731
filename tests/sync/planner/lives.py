"""Lives: an app or two whose migration files are changed by hand, and databases that are migrated now and then.

The model knows which operations really ran in which database, whatever the files are called. Each step is
``(kind, a, b, c)``: what people do, and three numbers that choose among what is there. A step that would leave files
which no new database could run is not taken. So any list of steps is a life, and a shorter list is one too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, pairwise

from migsync.history.migration import Key
from tests.sync.planner.written import Column, Impossible, Tables, Written, source

NUMBERS, WORDS = range(1, 7), "abc"
Step = tuple[str, int, int, int]
IDENTITIES = count(1)


@dataclass(frozen=True)
class File:
    """One file: what it depends on, and its operations. `identity` stays with it through renames and edits."""

    after: tuple[Key, ...]
    operations: tuple[Written, ...] = ()
    identity: int = field(default_factory=lambda: next(IDENTITIES), compare=False)

    @property
    def source(self) -> bytes:
        return source(self.after, self.operations)


Files = Mapping[Key, File]


def in_order(files: Files) -> list[Key]:
    """All names, each after what it depends on; shorter where there is a loop."""
    left, found = dict(files), dict.fromkeys((), None)
    while ready := sorted(
        key for key, file in left.items() if all(up in found or up not in files for up in file.after)
    ):
        found[ready[0]] = None
        del left[min(ready)]
    return list(found)


def leaves(files: Files, app: str) -> list[Key]:
    """The ends of one app, as ``migrate`` counts them."""
    parents = {up for key, file in files.items() for up in file.after if key.app == up.app}
    return sorted(key for key in files if key.app == app and key not in parents)


def made_by(files: Files) -> Tables:
    """What a new database gets from these files; raises Impossible."""
    order = in_order(files)
    if len(order) < len(files) or any(up not in files for file in files.values() for up in file.after):
        raise Impossible("a loop, or an edge to nowhere")
    tables = Tables(strict=True)
    for key in order:
        tables.run(files[key].operations)
    # Of branches, `migrate` may run another one first.
    as_django = Tables(strict=True)
    for key in to_run(files, ()) or ():
        as_django.run(files[key].operations)
    return tables


def to_run(files: Files, recorded: Iterable[Key], target: Key | None = None) -> list[Key] | None:
    """What ``migrate`` runs, in its order; None where it refuses."""
    recorded = set(recorded)
    apps = {key.app for key in files}
    broken = any(up not in recorded for key in recorded if key in files for up in files[key].after)
    if broken or any(len(leaves(files, app)) > 1 for app in apps):
        return None
    parents = {up for key, file in files.items() for up in file.after if key.app == up.app}
    targets = [target] if target else sorted(files.keys() - parents)
    found: dict[Key, None] = {}

    def visit(key: Key) -> None:
        if key not in found:
            for up in sorted(files[key].after, reverse=True):
                visit(up)
            found[key] = None

    for each in targets:
        if each not in recorded:
            visit(each)
    return [key for key in found if key not in recorded]


@dataclass(frozen=True)
class Row:
    """One row of ``django_migrations`` with what really ran: the file as it was then."""

    id: int
    key: Key
    applied: str
    file: File


@dataclass
class Database:
    """One database: its rows, and its tables as they really are.

    `looks` are those that ``migsync apply`` took before some of the ``migrate``: the last id, and the files.
    """

    rows: list[Row] = field(default_factory=list)
    tables: Tables = field(default_factory=Tables)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    looks: list[tuple[int, Files]] = field(default_factory=list)

    @property
    def seen(self) -> dict[int, File]:
        """By the ids of rows, the files that were the same at the last look before and at the first one after."""
        return {
            row.id: now[row.key]
            for (last, before), (until, now) in pairwise(self.looks)
            for row in self.rows
            if last < row.id <= until and row.key in now and before.get(row.key) == now[row.key]
        }

    def migrate(self, files: Files, clock: Callable[[], str], target: Key | None = None) -> None:
        """Run what is to run by Django's rules, up to what fails."""
        recorded = {row.key for row in self.rows}
        for key in to_run(files, recorded, target) or ():
            try:
                self.tables.run(files[key].operations)
            except Impossible:
                return
            self.rows.append(Row(next(self.numbers), key, clock(), files[key]))


@dataclass
class Life:
    """Files through time. `commits` are what git holds, oldest first; `written` is when a file on disk was changed."""

    apps: Sequence[str] = ("shop",)
    files: dict[Key, File] = field(default_factory=dict)
    written: dict[Key, str] = field(default_factory=dict)
    commits: list[tuple[str, Files]] = field(default_factory=list)
    databases: list[Database] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    minute: int = 0
    lost: list[Written] = field(default_factory=list)

    @classmethod
    def of(cls, steps: Iterable[Step], *, apps: int = 1, databases: int = 1) -> Life:
        life = cls(("shop", "bugs")[:apps], databases=[Database() for _ in range(databases)])
        for app in life.apps:
            life.files[Key(app, "0001_initial")] = File((), (life.table(app, 0),))
        life.do_commit(0, 0, 0)
        for step in steps:
            life.take(step)
        return life

    def take(self, step: Step) -> None:
        """Take a step, unless files come of it that nobody would keep."""
        kind, *numbers = step
        before, rows = dict(self.files), [len(database.rows) for database in self.databases]
        try:
            getattr(self, f"do_{kind}")(*numbers)
            made_by(self.files)
        except Impossible:
            self.files = before
        for key in self.files:
            if self.files[key] != before.get(key):
                self.written[key] = self.moment(30)
        if self.files != before or rows != [len(each.rows) for each in self.databases]:
            gone = {operation for file in before.values() for operation in file.operations}
            self.lost += gone - {operation for file in self.files.values() for operation in file.operations}
            self.taken.append(f"{kind} {numbers}: {self.told(before)}")

    def told(self, before: Files) -> str:
        changed = [
            key for key in (*before, *(self.files.keys() - before.keys())) if before.get(key) != self.files.get(key)
        ]
        return "; ".join(f"{key} = {_short(self.files.get(key))}" for key in changed) or "rows"

    def clock(self) -> str:
        self.minute += 1
        return self.moment()

    def moment(self, second: int = 0) -> str:
        return f"2026-01-{1 + self.minute // 1440:02} {self.minute // 60 % 24:02}:{self.minute % 60:02}:{second:02}"

    # What people do to the files

    def do_add(self, a: int, b: int, c: int) -> None:
        """A new migration at the end."""
        app = self._app(a)
        if name := self._free(app, b):
            operations = tuple(self._operations(app, c))
            self.files[name] = File(tuple(leaves(self.files, app)), operations)

    def do_first(self, a: int, b: int, c: int) -> None:
        """A new migration before an existing one."""
        app, old = self._app(a), self._some(a, c)
        if name := self._free(app, b):
            self.files[name] = File(self.files[old].after, (self.table(app, c),))
            self.files[old] = replace(self.files[old], after=(name,))

    def do_branch(self, a: int, b: int, c: int) -> None:
        """Two that know nothing of each other, and a merge."""
        app = self._app(a)
        up = tuple(leaves(self.files, app))
        names = []
        for number in (b, b + 4, b + 8):
            if name := self._free(app, number):
                names.append(name)
                self.files[name] = File(tuple(names[:2]) if len(names) == 3 else up, ())
        if len(names) < 3:
            for name in names:
                del self.files[name]
            return
        for name in names[:2]:
            self.files[name] = File(up, (self.table(app, c),))

    def do_behind(self, a: int, b: int, c: int) -> None:
        """A newcomer is put before the last migration, which gets another name."""
        app = self._app(a)
        (last, *_), new, other = leaves(self.files, app), self._free(app, b), self._free(app, b + 4)
        if new and other and new != other:
            self._rename({last: other})
            self.files[new] = File(self.files[other].after, tuple(self._operations(app, c)))
            self.files[other] = replace(self.files[other], after=(new,))

    def do_rename(self, a: int, b: int, c: int) -> None:
        old = self._some(a, c)
        if new := self._free(old.app, b):
            self._rename({old: new})

    def do_exchange(self, a: int, b: int, c: int) -> None:
        """Two names change places, and each file stays where it is in the order."""
        one, other = self._some(a, b), self._some(a, c)
        self._rename({one: other, other: one})

    def do_swap(self, a: int, b: int, c: int) -> None:
        """What is in two files changes places."""
        one, other = self._some(a, b), self._some(a, c)
        ones, others = self.files[one], self.files[other]
        self.files[one] = replace(others, after=ones.after)
        self.files[other] = replace(ones, after=others.after)

    def do_cycle(self, a: int, b: int, _: int) -> None:
        order = self._order(self._app(a))
        some = [order[(b + step) % len(order)] for step in range(3)]
        if len(set(some)) == 3:
            self._rename(dict(zip(some, (*some[1:], some[0]), strict=True)))

    def do_shift(self, a: int, b: int, c: int) -> None:
        """From one file on each takes the name of the next, and the last a new one; a newcomer may take the first."""
        app = self._app(a)
        order = self._order(app)
        some = order[c % len(order) :]
        if new := self._free(app, b):
            self._rename(dict(zip(some, (*some[1:], new), strict=True)))
            if b % 2:
                self.files[some[0]] = File(self.files[some[1] if len(some) > 1 else new].after, (self.table(app, c),))
                below = some[1] if len(some) > 1 else new
                self.files[below] = replace(self.files[below], after=(some[0],))

    def do_unshift(self, a: int, b: int, c: int) -> None:
        """One file goes into the one before it, and those behind it take the names one by one."""
        order = self._order(self._app(a))
        place = c % len(order)
        if 0 < place < len(order) - 1:
            self._unite(order[place - 1], order[place])
            some = order[place + 1 :]
            self._rename(dict(zip(some, (order[place], *some[:-1]), strict=True)))

    def do_unite(self, a: int, b: int, c: int) -> None:
        """Two neighbours become one, under either name or a new one."""
        order = self._order(self._app(a))
        place = c % len(order)
        if place:
            self._unite(order[place - 1], order[place])
            new = (order[place], self._free(order[0].app, b), order[place - 1])[b % 3]
            if new:
                self._rename({order[place - 1]: new})

    def do_split(self, a: int, b: int, c: int) -> None:
        """The last operations of a file go into a file of their own, before or after it."""
        old = self._some(a, c)
        file, name = self.files[old], self._free(old.app, b)
        if name and len(file.operations) > 1:
            middle = 1 + b % (len(file.operations) - 1)
            self._point(old, name)
            self.files[old] = replace(file, operations=file.operations[:middle])
            self.files[name] = File((old,), file.operations[middle:])
            if b % 2:
                self._rename({old: name, name: old})

    def do_move(self, a: int, b: int, c: int) -> None:
        """An operation goes to another file."""
        one, other = self._some(a, b), self._some(a, c)
        if one != other and (moved := self.files[one].operations[-1:]):
            self.files[one] = replace(self.files[one], operations=self.files[one].operations[:-1])
            self.files[other] = replace(self.files[other], operations=(*self.files[other].operations, *moved))

    def do_grow(self, a: int, b: int, c: int) -> None:
        """A file is edited: more operations."""
        old = self._some(a, c)
        file = self.files[old]
        self.files[old] = replace(file, operations=(*file.operations, *self._operations(old.app, b)[:1]))

    def do_shrink(self, a: int, b: int, c: int) -> None:
        """A file is edited: one operation less."""
        old = self._some(a, c)
        left = list(self.files[old].operations)
        if left:
            del left[b % len(left)]
        self.files[old] = replace(self.files[old], operations=tuple(left))

    def do_alter(self, a: int, b: int, c: int) -> None:
        """A file is edited: an operation is another one now."""
        old = self._some(a, c)
        if operations := list(self.files[old].operations):
            place = b % len(operations)
            operations[place] = self._otherwise(operations[place], b)
            self.files[old] = replace(self.files[old], operations=tuple(operations))

    def do_reword(self, a: int, b: int, c: int) -> None:
        """An edit that no database sees."""
        old = self._some(a, c)
        operations = tuple(each._replace(wording=b + 1) for each in self.files[old].operations)
        self.files[old] = replace(self.files[old], operations=operations)

    def do_delete(self, a: int, _: int, c: int) -> None:
        """A file is deleted, and what came after it comes after what it came after."""
        old = self._some(a, c)
        if len(self._order(old.app)) > 1:
            file = self.files.pop(old)
            self._point(old, *file.after)

    def do_replace(self, a: int, b: int, c: int) -> None:
        """A name is used again for something else."""
        old = self._some(a, c)
        self.files[old] = File(self.files[old].after, tuple(self._operations(old.app, b)))

    def do_return(self, a: int, b: int, c: int) -> None:
        """Operations that were taken out come back in a new file."""
        app = self._app(a)
        lost = [each for each in self.lost if each.app == app]
        if lost and (name := self._free(app, b)):
            self.files[name] = File(tuple(leaves(self.files, app)), (lost[c % len(lost)],))

    def do_reset(self, a: int, b: int, c: int) -> None:
        """All files of an app are deleted, and ``makemigrations`` writes a new one."""
        app = self._app(a)
        tables = made_by(self.files)
        order = self._order(app)
        codes = [each for key in order for each in self.files[key].operations if each.kind.startswith("Run")]
        others = tuple(dict.fromkeys(up for key in order for up in self.files[key].after if up.app != app))
        first = Key(app, "0001_initial")
        for key in order:
            del self.files[key]
        self._point_all(set(order), first)
        self.files[first] = File(others, (*_remade(app, tables, with_indexes=b % 2 == 0), *(codes if c % 2 else ())))

    # What happens to the databases

    def do_commit(self, *_: int) -> None:
        self.commits.append((self.clock(), dict(self.files)))

    def do_migrate(self, a: int, b: int, c: int) -> None:
        """One database, in full or up to a migration, with the files of now or of a commit some time ago."""
        lag = c % 4
        files = self.files if lag > 2 or lag >= len(self.commits) else self.commits[-1 - lag][1]
        database = self.databases[a % len(self.databases)]
        if c % 3:
            database.looks.append((len(database.rows), files if files is not self.files else dict(files)))
        order = in_order(files)
        target = order[b % len(order)] if b % 3 == 0 else None
        database.migrate(files, self.clock, target)

    # The parts

    def table(self, app: str, choice: int) -> Written:
        number = next(self.numbers)
        columns: list[tuple[str, Column]] = [(f"c{number}", ("IntegerField",))]
        indexes = ((f"i{number}", (f"c{number}",)),) if choice % 3 == 0 else ()
        return Written("CreateModel", app, f"t{number}", value=(tuple(columns), indexes))

    def _operations(self, app: str, choice: int) -> list[Written]:
        rng = random.Random(choice)
        return [made for _ in range(rng.choice([1, 1, 2, 3])) if (made := self._operation(app, rng))]

    def _operation(self, app: str, rng: random.Random) -> Written | None:
        try:
            parts = made_by(self.files).parts
        except Impossible:
            return None
        tables = sorted(part[2] for part in parts if part[:2] == ("table", app))
        columns = sorted(part[2:] for part in parts if part[:2] == ("column", app))
        number = next(self.numbers)
        kind = rng.choice(KINDS)
        if kind == "CreateModel" or not tables:
            return self.table(app, number)
        table = rng.choice(tables)
        if kind == "AddField":
            others = sorted(part[1:] for part in parts if part[0] == "table" and int(part[2][1:]) < int(table[1:]))
            foreign = (
                [("ForeignKey", *rng.choice([each for each in others if each[0] == app]))]
                if any(each[0] == app for each in others)
                else []
            )
            column = rng.choice([("IntegerField",), ("CharField", 20), *foreign])
            return Written(kind, app, table, f"c{number}", column)
        if kind in ("RunSQL", "RunPython"):
            return Written(kind, app, name=f"code{number}")
        if kind == "DeleteModel":
            return Written(kind, app, table)
        if kind == "RenameModel":
            return Written(kind, app, table, value=f"t{number}")
        if not columns:
            return None
        table, name = rng.choice(columns)
        if kind == "AlterField":
            return Written(kind, app, table, name, ("CharField", number))
        if kind == "AddIndex":
            return Written(kind, app, table, f"i{number}", (name,))
        if kind == "RenameField":
            return Written(kind, app, table, name, f"c{number}")
        return Written("RemoveField", app, table, name)

    def _otherwise(self, operation: Written, choice: int) -> Written:
        number = next(self.numbers)
        if operation.kind in ("AddField", "AlterField"):
            return operation._replace(value=("CharField", 100 + number))
        if operation.kind == "CreateModel":
            columns, indexes = operation.value
            return operation._replace(value=((*columns, (f"c{number}", ("IntegerField",))), indexes))
        if operation.kind.startswith("Run"):
            return operation._replace(name=f"code{number}")
        return operation

    def _app(self, choice: int) -> str:
        return self.apps[choice % len(self.apps)]

    def _order(self, app: str) -> list[Key]:
        return [key for key in in_order(self.files) if key.app == app]

    def _some(self, a: int, choice: int) -> Key:
        order = self._order(self._app(a))
        return order[choice % len(order)]

    def _free(self, app: str, choice: int) -> Key | None:
        """A name that no file has; there are few, so that names are used again."""
        names = [Key(app, f"{number:04}_{word}") for number in NUMBERS for word in WORDS]
        name = names[choice % len(names)]
        return None if name in self.files else name

    def _unite(self, first: Key, second: Key) -> None:
        gone = self.files.pop(second)
        others = tuple(up for up in gone.after if up != first)
        file = self.files[first]
        after = tuple(dict.fromkeys((*file.after, *others)))
        self.files[first] = replace(file, after=after, operations=(*file.operations, *gone.operations))
        self._point(second, first)

    def _point(self, old: Key, *new: Key) -> None:
        """Whatever depends on `old` depends on `new`."""
        for key, file in self.files.items():
            if old in file.after:
                after = dict.fromkeys(each for up in file.after for each in (new if up == old else (up,)))
                self.files[key] = replace(file, after=tuple(after))

    def _point_all(self, olds: set[Key], new: Key) -> None:
        for old in olds:
            self._point(old, new)

    def _rename(self, names: Mapping[Key, Key]) -> None:
        self.files = {
            names.get(key, key): replace(file, after=tuple(names.get(up, up) for up in file.after))
            for key, file in self.files.items()
        }


KINDS = (
    *("CreateModel",) * 4,
    *("AddField",) * 5,
    *("AlterField", "AddIndex", "RunSQL", "RunPython") * 2,
    *("RenameField", "RemoveField", "DeleteModel", "RenameModel"),
)
STEPS = sorted(name.removeprefix("do_") for name in vars(Life) if name.startswith("do_"))


def _remade(app: str, tables: Tables, *, with_indexes: bool) -> Iterator[Written]:
    """One CreateModel a table, as the autodetector writes it; indexes in it or behind."""
    indexes: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for part, value in tables.parts.items():
        if part[:2] == ("index", app):
            indexes.setdefault(value[0], []).append((part[2], value[1]))
    left = [part[2] for part in tables.parts if part[:2] == ("table", app)]
    done: set[str] = set()
    while left:
        ready = len(done)
        for table in list(left):
            columns = [(part[3], value) for part, value in tables.parts.items() if part[:3] == ("column", app, table)]
            needed = {value[2] for _, value in columns if value[:2] == ("ForeignKey", app)}
            if needed <= done:
                found = tuple(indexes.get(table, ()))
                yield Written("CreateModel", app, table, value=(tuple(columns), found if with_indexes else ()))
                if not with_indexes:
                    yield from (Written("AddIndex", app, table, name, names) for name, names in found)
                left.remove(table)
                done.add(table)
        if ready == len(done):
            raise Impossible("foreign keys go round")


def _short(file: File | None) -> str:
    if file is None:
        return "gone"
    operations = [
        " ".join(str(part) for part in each if part not in ("", None, 0, each.app)) for each in file.operations
    ]
    return f"[{', '.join(operations)}] after {', '.join(key.name for key in file.after) or 'nothing'}"
