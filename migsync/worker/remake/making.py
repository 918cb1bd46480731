"""Apps made from scratch, with what their models do not show: the worker's task."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from migsync.worker.compose.compose import compose
from migsync.worker.remake.carrying import grouped
from migsync.worker.remake.detecting import SETTING, Initial, created_in, initials, pending
from migsync.worker.remake.naming import new_names
from migsync.worker.remake.old import Old
from migsync.worker.remake.replacing import CannotReplace, Sharing
from migsync.worker.remake.unseen import Fate, Node, Unseen
from migsync.worker.worker import set_up, stage

Place = tuple[str, int]
"""(app, number of the new file in it, from 0 on)."""


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Make the migrations of ``apps`` anew; ``word`` is in the new names, ``taken`` says by app which are not free.

    ``drop`` are the migrations whose operations may go: ``[app, name]``. The answer has ``pending``, (app, words) for
    each change that has no migration yet, and then nothing else; ``unseen``, what the models do not show and what
    became of it; and ``files``, in order, without text where something is stuck. With ``replaces`` the new ones replace
    the old ones; ``crossed`` are apps of which that cannot be so. With ``empty``, an app that would have no file
    gets one without operations, and is told.
    """
    set_up()
    from django.db.migrations.loader import MigrationLoader

    with stage("load"):
        loader = MigrationLoader(None)
    old = Old(loader, frozenset(request["apps"]), frozenset((app, name) for app, name in request["drop"]))
    with stage("state"):
        state, found = old.run()
    with stage("changes"):
        made = {} if _is_stuck(found) else initials(state, old.apps)
    files = _Files(old, made, found)
    empty = files.fill() if request["empty"] and not _is_stuck(found) else []
    crossed = files.replace_all() if request["replaces"] else []
    names = files.names(request["word"], request["taken"])
    origins_of = {id(each.operation): each.origin for each in found if each.operation is not None}
    answer = {
        "pending": [],
        "crossed": crossed,
        "empty": empty,
        "unseen": [_told(each, files, names) for each in found],
        "files": [_composed(file, names, origins_of) for file in files.made],
    }
    with stage("changes"):  # last: the project's own makemigrations may have other texts written from there on
        changes = pending(loader, state, old.apps)
    return {"pending": changes} if changes else answer


def _is_stuck(found: Iterable[Unseen]) -> bool:
    return any(each.fate is Fate.STUCK for each in found)


@dataclass
class New:
    """One new migration; `depends` are others of them, `outside` those of apps that are not made anew."""

    place: Place
    operations: list[Any]
    depends: set[Place] = field(default_factory=set)
    settings: tuple[str, ...] = ()
    outside: list[Node] = field(default_factory=list)
    run_before: list[Node] = field(default_factory=list)
    initial: bool | None = None
    atomic: bool = True
    origins: tuple[Node, ...] = ()
    replaces: Sequence[Node] = ()


class _Files:
    """All new files, and which of them each operation went into."""

    def __init__(self, old: Old, made: Mapping[str, Sequence[Initial]], found: Sequence[Unseen]) -> None:
        self.old = old
        self.initial = made
        self.made: list[New] = [self._initial(each) for app in made for each in made[app]]
        self.holds: dict[tuple[Node, Fate], Place] = {}
        carried = [each for each in found if each.fate is Fate.CARRIED]
        if not _is_stuck(found):
            self._carry(carried)
            self._put_first([each for each in found if each.fate is Fate.FIRST])
            self._keep_run_before()
            self._name_the_nearest()

    def names(self, word: str, taken: Mapping[str, Iterable[str]]) -> dict[Place, str]:
        """The name of each new file."""
        found: dict[Place, str] = {}
        for app in sorted({file.place[0] for file in self.made}):
            own = self.of(app)
            names = new_names(word, [bool(file.origins) and not file.initial for file in own], set(taken.get(app, ())))
            found |= {file.place: name for file, name in zip(own, names, strict=True)}
        return found

    def of(self, app: str) -> list[New]:
        """One app's new files, in order."""
        return [file for file in self.made if file.place[0] == app]

    def _initial(self, initial: Initial) -> New:
        app = initial.app
        own = [node for node in self.old.schema if node[0] == app]
        named = self.old.outside(own)
        reached = {key[0] for key in named}
        needed = [self._creator(*model) for model in initial.models if model[0] not in reached]
        swapped = {place for name in initial.settings for place in self._swapped(name, app)}
        return New(
            (app, initial.number),
            list(initial.operations),
            {*initial.depends, *swapped},
            initial.settings,
            sorted({*needed, *([] if initial.number else named)}),
            initial=True,
        )

    def _creator(self, app: str, model: str) -> Node:
        """What to depend on for a model of an app that is not made anew: what others named, or what makes the model."""
        named = [key for key in self.old.outside(self.old.schema) if key[0] == app]
        return named[0] if len(named) == 1 else self.old.creator(app, model)

    def _swapped(self, name: str, app: str) -> Iterator[Place]:
        """Where a swappable model is made, if that is not in its app's first file, which the setting alone means."""
        from django.conf import settings

        label, _, model = getattr(settings, name).partition(".")
        number = created_in(self.initial.get(label, ()), model)
        if number and label != app:
            yield (label, number)

    def _carry(self, carried: Sequence[Unseen]) -> None:
        origins = list(dict.fromkeys(each.origin for each in carried))
        above = {origin: self.old.above(origin) for origin in origins}
        above |= {node: self.old.above(node) for node in frozenset().union(*above.values()) if self._parts(node, above)}
        apart = {origin for origin in origins if not self.old.migration(origin).atomic}
        places: list[Place] = []
        for group in grouped([node for node in self.old.order if node in above], above, apart):
            if group.app not in self.old.apps:
                places.append((group.app, -1))
                continue
            before = {origin: above[origin] for origin in group.origins}
            place = (group.app, len(self.of(group.app)))
            depends = {places[number] for number in group.after if places[number][1] >= 0} | self._models_of(
                group.app, before
            )
            without_schema = {up for ups in before.values() for up in ups if up[0] in self.old.apps} - self.old.schema
            self.made.append(
                New(
                    place,
                    [each.operation for each in carried if each.origin in before],
                    depends,
                    outside=self.old.outside([*before, *without_schema]),
                    run_before=self.old.runs_before(before),
                    atomic=apart.isdisjoint(before),
                    origins=group.origins,
                )
            )
            self.holds |= {(origin, Fate.CARRIED): place for origin in before}
            places.append(place)

    def _parts(self, node: Node, origins: Collection[Node]) -> bool:
        """Whether something that is not made anew stands between two migrations with something to carry."""
        return node[0] not in self.old.apps and not self.old.above(node).isdisjoint(origins)

    def _models_of(self, app: str, before: Mapping[Node, AbstractSet[Node]]) -> set[Place]:
        """The last initial file of each app that operations could use, and of their own."""
        apps = {app, *(up[0] for ups in before.values() for up in ups)}
        return {(label, len(made) - 1) for label, made in self.initial.items() if label in apps}

    def _put_first(self, firsts: Sequence[Unseen]) -> None:
        """What tables can need to the front of its app's first file, before the first files that need it."""
        for app in dict.fromkeys(each.origin[0] for each in firsts):
            own = [each for each in firsts if each.origin[0] == app]
            if not self.of(app):
                self.made.append(New((app, 0), []))
            file = self.of(app)[0]
            file.operations[:0] = [each.operation for each in own]
            self.holds |= {(each.origin, Fate.FIRST): file.place for each in own}
            self._come_after(file, {each.origin for each in own})

    def _come_after(self, first: New, origins: AbstractSet[Node]) -> None:
        for app in self.initial:
            file = self.of(app)[0]
            needs = any(self.old.above(node) & origins for node in self.old.own if node[0] == app)
            if app != first.place[0] and needs and not self._leads_to(first.place, file.place):
                file.depends.add(first.place)

    def _leads_to(self, start: Place, goal: Place) -> bool:
        by_place = {file.place: file for file in self.made}
        todo, seen = [start], set[Place]()
        while todo:
            place = todo.pop()
            if place == goal:
                return True
            if place not in seen:
                seen.add(place)
                todo += by_place[place].depends
        return False

    def _name_the_nearest(self) -> None:
        """Of its own app a carried file names the last; of others, none that another one of those comes after."""
        for file in self.made:
            if file.origins:
                own = sorted(place for place in file.depends if place[0] == file.place[0])
                others = {place for place in file.depends if place[0] != file.place[0]}
                named = {*others, *own[-1:]}
                behind = {one for one in others for other in named - {one} if self._leads_to(other, one)}
                file.depends = named - behind

    def fill(self) -> list[str]:
        """Give each app that has no new file one without operations, to stand for its old ones; those apps."""
        empty = [app for app in sorted(self.old.apps) if not self.of(app)]
        self.made += [New((app, 0), [], initial=True) for app in empty]
        return empty

    def replace_all(self) -> list[str]:
        """Have the new files replace the old migrations, each by one; the apps of which that cannot be so.

        What was carried over joins the models where it can: for a database that is partly migrated, a file that
        replaces all is one that Django leaves alone.
        """
        for file in [file for file in self.made if file.origins]:
            self._join(file)
        order, graph = self.old.order, self.old.loader.graph
        parents = {node: [parent.key for parent in graph.node_map[node].parents] for node in order}
        outside = {file.place: file.outside for file in self.made}
        try:
            shared = Sharing(order, parents, self._in_order(), outside).shared()
        except CannotReplace as error:
            return [error.app]
        for file in self.made:
            file.replaces = shared[file.place]
        return []

    def _join(self, file: New) -> None:
        into = self.of(file.place[0])[0]
        for other in self.of(file.place[0]):
            into = other if other.initial else into
        if (
            file is into
            or not file.atomic
            or any(self._leads_to(place, into.place) for place in file.depends - {into.place})
        ):
            return
        into.operations += file.operations
        into.depends |= file.depends - {into.place}
        into.outside = sorted({*into.outside, *file.outside})
        into.run_before = sorted({*into.run_before, *file.run_before})
        into.origins += file.origins
        self.made.remove(file)
        for other in self.made:
            if file.place in other.depends:
                other.depends = other.depends - {file.place} | ({into.place} - {other.place})
        self.holds = {what: into.place if place == file.place else place for what, place in self.holds.items()}

    def _in_order(self) -> list[Place]:
        """All new files, each after those that it depends on."""
        found: dict[Place, None] = {}
        left = {file.place: file.depends for file in self.made}
        while left:
            ready = sorted(place for place, depends in left.items() if depends <= found.keys())
            found |= dict.fromkeys(ready)
            left = {place: depends for place, depends in left.items() if place not in found}
        return list(found)

    def _keep_run_before(self) -> None:
        for app, made in self.initial.items():
            self.of(app)[len(made) - 1].run_before = self.old.runs_before(
                node for node in self.old.schema if node[0] == app
            )


def _told(each: Unseen, files: _Files, names: Mapping[Place, str]) -> dict[str, Any]:
    """What became of one operation, as JSON values."""
    import inspect

    place = files.holds.get((each.origin, each.fate))
    return {
        "app": each.origin[0],
        "name": each.origin[1],
        "file": inspect.getfile(type(files.old.migration(each.origin))),
        "called": each.called,
        "fate": str(each.fate),
        "into": names[place] if place else "",
    }


def _composed(file: New, names: Mapping[Place, str], origins_of: Mapping[int, Node]) -> dict[str, Any]:
    """The text of a file, and the old migration of each operation (counted from 1) that was carried over."""
    app = file.place[0]
    carried = ", ".join(f"{label}.{name}" for label, name in file.origins)
    origins = ((number, origins_of.get(id(operation))) for number, operation in enumerate(file.operations, 1))
    dependencies = [
        *((SETTING, name) for name in file.settings),
        *file.outside,
        *sorted((place[0], names[place]) for place in file.depends),
    ]
    composed = compose(
        file.operations,
        app=app,
        name=names[file.place],
        dependencies=dependencies,
        replaces=file.replaces,
        run_before=file.run_before,
        initial=file.initial,
        atomic=file.atomic,
        heading=f"Carried over from {carried}." if carried else "",
    )
    return {
        "app": app,
        "name": names[file.place],
        "text": composed.text,
        "further": bool(file.origins) and not file.initial,
        "origins": [(number, *origin) for number, origin in origins if origin],
        "notes": [note.as_dict() for note in composed.notes],
    }
