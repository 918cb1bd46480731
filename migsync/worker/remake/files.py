"""The new files of a remake: what each holds, depends on, replaces and is called."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from migsync.worker.protocol import Disposition
from migsync.worker.remake.autodetector import InitialMigration, created_in
from migsync.worker.remake.graph import CannotReplace, FileKey, OldGraph, ReplacesPartition, grouped, leads_to
from migsync.worker.remake.operations import Node, SpecialOperation

CARRIED = "carried"


@dataclass
class NewMigration:
    """A new migration in the making.

    It depends on other new ones (`depends`), on settings with a swappable model (`settings`), and on migrations of apps
    that are not made anew (`outside`). `origins` are the old ones whose special operations it carries: a file with
    origins that is not `initial` is a *further* file. `replaces` are the old ones that it replaces.
    """

    key: FileKey
    operations: list[Any]
    depends: set[FileKey] = field(default_factory=set)
    settings: tuple[str, ...] = ()
    outside: list[Node] = field(default_factory=list)
    run_before: list[Node] = field(default_factory=list)
    initial: bool | None = None
    atomic: bool = True
    origins: tuple[Node, ...] = ()
    replaces: Sequence[Node] = ()

    @property
    def app(self) -> str:
        """The label of its app."""
        return self.key[0]


class NewFiles:
    """All new files of a remake (`files`), and the file that holds what each old migration had (`holds`).

    `initial` are, by app, the migrations that the autodetector made. A special operation goes in front of its app's
    first file (``FIRST``) or into a further file behind the initial ones (``CARRIED``).
    """

    def __init__(
        self,
        old: OldGraph,
        initial: Mapping[str, Sequence[InitialMigration]],
        found: Sequence[SpecialOperation],
    ) -> None:
        self.old = old
        self.initial = initial
        self.files: list[NewMigration] = [self._initial(each) for app in initial for each in initial[app]]
        self.holds: dict[tuple[Node, Disposition], FileKey] = {}
        if not is_stuck(found):
            self._carry([each for each in found if each.disposition is Disposition.CARRIED])
            self._put_first([each for each in found if each.disposition is Disposition.FIRST])
            self._keep_run_before()
            self._name_the_nearest()

    def names(self, word: str, taken: Mapping[str, Iterable[str]]) -> dict[FileKey, str]:
        """The name of each new file."""
        found: dict[FileKey, str] = {}
        for app in sorted({file.app for file in self.files}):
            own = self.of(app)
            names = new_names(word, [bool(file.origins) and not file.initial for file in own], set(taken.get(app, ())))
            found |= {file.key: name for file, name in zip(own, names, strict=True)}
        return found

    def of(self, app: str) -> list[NewMigration]:
        """One app's new files, in order."""
        return [file for file in self.files if file.app == app]

    def _initial(self, initial: InitialMigration) -> NewMigration:
        app = initial.app
        own = [node for node in self.old.schema if node[0] == app]
        named = self.old.outside(own)
        reached = {key[0] for key in named}
        needed = [self._creator(*model) for model in initial.models if model[0] not in reached]
        swapped = {key for name in initial.settings for key in self._swapped(name, app)}
        return NewMigration(
            (app, initial.number),
            list(initial.operations),
            {*initial.depends, *swapped},
            initial.settings,
            # The app's other initial files depend on its first one, and need not name these again.
            sorted({*needed, *([] if initial.number else named)}),
            initial=True,
        )

    def _creator(self, app: str, model: str) -> Node:
        """What to depend on for a model of an app that is not made anew: what others named, or what makes the model."""
        named = [key for key in self.old.outside(self.old.schema) if key[0] == app]
        return named[0] if len(named) == 1 else self.old.creator(app, model)

    def _swapped(self, name: str, app: str) -> Iterator[FileKey]:
        """The new file that creates a swappable model, if that is not the first of its app.

        Django takes a dependency on a setting for one on the first migration of the model's app.
        """
        from django.conf import settings

        label, _, model = getattr(settings, name).partition(".")
        number = created_in(self.initial.get(label, ()), model)
        if number and label != app:
            yield (label, number)

    def _carry(self, carried: Sequence[SpecialOperation]) -> None:
        """Add the further files: after the initial ones, and in the order that their operations had."""
        origins = list(dict.fromkeys(each.origin for each in carried))
        above = {origin: self.old.above(origin) for origin in origins}
        # A migration that stays may need one of these, and be needed by another: then it comes between two files.
        above |= {node: self.old.above(node) for node in frozenset().union(*above.values()) if self._parts(node, above)}
        apart = {origin for origin in origins if not self.old.migration(origin).atomic}
        keys: list[FileKey | None] = []
        for group in grouped([node for node in self.old.order if node in above], above, apart):
            if group.app not in self.old.apps:
                # It has its file already, which `outside` names.
                keys.append(None)
                continue
            before = {origin: above[origin] for origin in group.origins}
            key = (group.app, len(self.of(group.app)))
            earlier = {each for number in group.after if (each := keys[number]) is not None}
            # What migrations that vanish depend on outside, their initial files do not know of.
            without_schema = {up for ups in before.values() for up in ups if up[0] in self.old.apps} - self.old.schema
            self.files.append(
                NewMigration(
                    key,
                    [each.operation for each in carried if each.origin in before],
                    earlier | self._models_of(group.app, before),
                    outside=self.old.outside([*before, *without_schema]),
                    run_before=self.old.runs_before(before),
                    atomic=apart.isdisjoint(before),
                    origins=group.origins,
                )
            )
            self.holds |= {(origin, Disposition.CARRIED): key for origin in before}
            keys.append(key)

    def _parts(self, node: Node, origins: Collection[Node]) -> bool:
        """Whether something that is not made anew stands between two migrations with something to carry."""
        return node[0] not in self.old.apps and not self.old.above(node).isdisjoint(origins)

    def _models_of(self, app: str, before: Mapping[Node, AbstractSet[Node]]) -> set[FileKey]:
        """The last initial file of the operations' own app, and of each app that they depended on and so could use."""
        apps = {app, *(up[0] for ups in before.values() for up in ups)}
        return {(label, len(initial) - 1) for label, initial in self.initial.items() if label in apps}

    def _put_first(self, firsts: Sequence[SpecialOperation]) -> None:
        """Put what tables can need (an extension, a type) in front of its app's first file."""
        for app in dict.fromkeys(each.origin[0] for each in firsts):
            own = [each for each in firsts if each.origin[0] == app]
            # An app without models: its migrations made an extension, for example.
            if not self.of(app):
                self.files.append(NewMigration((app, 0), []))
            file = self.of(app)[0]
            # In one step, so that they keep the order that they had among themselves.
            file.operations[:0] = [each.operation for each in own]
            self.holds |= {(each.origin, Disposition.FIRST): file.key for each in own}
            self._come_after(file, {each.origin for each in own})

    def _come_after(self, first: NewMigration, origins: AbstractSet[Node]) -> None:
        """Have the first files of other apps depend on `first`, where an old one depended on one of the `origins`."""
        for app in self.initial:
            file = self.of(app)[0]
            needs = any(self.old.above(node) & origins for node in self.old.own if node[0] == app)
            if app != first.app and needs and not self._leads_to(first.key, file.key):
                file.depends.add(first.key)

    def _leads_to(self, start: FileKey, goal: FileKey) -> bool:
        """Whether a file is `goal`, or depends on it, directly or not."""
        files = {file.key: file for file in self.files}
        return leads_to([start], goal, lambda key: files[key].depends)

    def _name_the_nearest(self) -> None:
        """Of its own app a further file names the last file; of others, none that another one of those comes after."""
        for file in self.files:
            if file.origins:
                own = sorted(key for key in file.depends if key[0] == file.app)
                others = {key for key in file.depends if key[0] != file.app}
                named = {*others, *own[-1:]}
                behind = {one for one in others for other in named - {one} if self._leads_to(other, one)}
                file.depends = named - behind

    def fill(self) -> list[str]:
        """Give each app that has no new file one without operations, to stand for its old ones. Returns those apps."""
        empty = [app for app in sorted(self.old.apps) if not self.of(app)]
        self.files += [NewMigration((app, 0), [], initial=True) for app in empty]
        return empty

    def replace_all(self) -> list[str]:
        """Have the new files replace the old migrations, each by one. Returns the apps of which that cannot be so.

        What was carried over joins the initial files where it can: for a database that is partly migrated, a file that
        replaces all is one that Django leaves alone.
        """
        for file in [file for file in self.files if file.origins]:
            self._join(file)
        order, graph = self.old.order, self.old.loader.graph
        parents = {node: [parent.key for parent in graph.node_map[node].parents] for node in order}
        outside = {file.key: file.outside for file in self.files}
        try:
            replaced = ReplacesPartition(order, parents, self._in_order(), outside).replaced()
        except CannotReplace as error:
            return [error.app]
        for file in self.files:
            file.replaces = replaced[file.key]
        return []

    def _join(self, file: NewMigration) -> None:
        """Put the operations of a further file behind those of its app's last initial file, unless order forbids it."""
        into = self.of(file.app)[0]
        for other in self.of(file.app):
            into = other if other.initial else into
        if (
            file is into
            or not file.atomic
            # Something that comes after the initial file and before this one would be left between the two.
            or any(self._leads_to(key, into.key) for key in file.depends - {into.key})
        ):
            return
        into.operations += file.operations
        into.depends |= file.depends - {into.key}
        into.outside = sorted({*into.outside, *file.outside})
        into.run_before = sorted({*into.run_before, *file.run_before})
        into.origins += file.origins
        self.files.remove(file)
        for other in self.files:
            if file.key in other.depends:
                other.depends = other.depends - {file.key} | ({into.key} - {other.key})
        self.holds = {what: into.key if key == file.key else key for what, key in self.holds.items()}

    def _in_order(self) -> list[FileKey]:
        """All new files, each after those that it depends on. Raises CannotReplace where they make a circle.

        Of others, those come first whose app the old migrations of the other app depended on, as far as that goes.
        """
        found: dict[FileKey, None] = {}
        needed = self._apps_needed()
        left = {file.key: file.depends for file in self.files}
        while left:
            ready = sorted(key for key, depends in left.items() if depends <= found.keys())
            if not ready:
                # Others are left because they come after the circle, and are not to blame.
                circle = [key for key in left if any(self._leads_to(up, key) for up in left[key])]
                raise CannotReplace(min(circle)[0])
            waiting = {app for app, _ in left}
            found |= dict.fromkeys([key for key in ready if not needed[key[0]] & waiting] or ready[:1])
            left = {key: depends for key, depends in left.items() if key not in found}
        return list(found)

    def _apps_needed(self) -> dict[str, set[str]]:
        """By app, the other apps made anew on whose old migrations its own depended directly."""
        nodes = self.old.loader.graph.node_map
        found: dict[str, set[str]] = {file.app: set() for file in self.files}
        for node in self.old.own:
            found.setdefault(node[0], set()).update(parent.key[0] for parent in nodes[node].parents)
        return {app: others & self.old.apps - {app} for app, others in found.items()}

    def _keep_run_before(self) -> None:
        """Have the last initial file of an app run before what the app's old migrations said they run before."""
        for app, initial in self.initial.items():
            self.of(app)[len(initial) - 1].run_before = self.old.runs_before(
                node for node in self.old.schema if node[0] == app
            )


def is_stuck(found: Iterable[SpecialOperation]) -> bool:
    """Whether one of these can neither be carried nor left out: then nothing is made."""
    return any(each.disposition is Disposition.STUCK for each in found)


def new_names(word: str, further: Sequence[bool], taken: Collection[str]) -> tuple[str, ...]:
    """``0001_remade``, ``0002_remade_carried``…: a name for each new file of one app, in order.

    `further` says of each file whether it is a further one. `taken` are the names that a file, a rewrite or a database
    knows: where one of the new names is among them, all get a number more, the same for all: ``0001_remade_2``.
    """
    attempt = 1
    while True:
        again = "" if attempt == 1 else f"_{attempt}"
        names = tuple(
            f"{number:04}_{word}{f'_{CARRIED}' if is_further else ''}{again}"
            for number, is_further in enumerate(further, 1)
        )
        if set(names).isdisjoint(taken):
            return names
        attempt += 1
