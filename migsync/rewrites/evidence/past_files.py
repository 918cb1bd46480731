"""The files that one app has had in git."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from migsync.key import Key
from migsync.rewrites.file_state import FileState
from migsync.rewrites.git import GitHistory
from migsync.rewrites.rewrite import AppRewrite


@dataclass(frozen=True)
class PastFiles:
    """What git holds of one app's files; each is only asked for where it is needed.

    `states` are the files in the commits that HEAD comes from, and `abandoned` in those that only the reflog knows,
    both newest first. `line` gives the names of the files on the branch itself, newest first.
    """

    states: Callable[[], Iterable[FileState]] = tuple
    abandoned: Callable[[], Iterable[FileState]] = tuple
    line: Callable[[], Iterable[AbstractSet[str]]] = tuple

    @classmethod
    def of(cls, git: GitHistory, app: str, changes: Sequence[AppRewrite] = ()) -> PastFiles:
        """Those of `app`, by the names that the `changes` gave them."""

        def today(states: Iterable[FileState]) -> list[FileState]:
            return [renamed(state, changes) for state in states]

        return cls(lambda: today(git.of(app)), lambda: today(git.abandoned(app)), lambda: git.line(app))


NO_PAST = PastFiles()


def renamed(state: FileState, changes: Iterable[AppRewrite]) -> FileState:
    """The state with the names that its files got by hand since: `changes` are what rewrites say of that, in order.

    A file is the one that a rewrite means by the digest of its operations.
    """
    for change in changes:
        found = {
            old: new
            for old, new in change.renamed
            if old in state.migrations and state.migrations[old].has(change.digests_before.get(old, ""))
        }
        # Another file has the name already, so that this state is not one from before.
        if found and not set(found.values()) & (state.migrations.keys() - found.keys()):
            state = _renamed(state, found)
    return state


def _renamed(state: FileState, names: Mapping[str, str]) -> FileState:
    def keys(found: Iterable[Key], app: str) -> tuple[Key, ...]:
        return tuple(Key(app, names.get(key.name, key.name)) if key.app == app else key for key in found)

    migrations = {}
    for name, file in state.migrations.items():
        app = file.key.app
        migrations[names.get(name, name)] = file.changed(
            key=Key(app, names.get(name, name)),
            dependencies=keys(file.dependencies, app),
            run_before=keys(file.run_before, app),
            replaces=keys(file.replaces, app),
        )
    # Git has none of these files under its new name.
    return replace(state, migrations=migrations, commit="")
