"""Random projects: forks, merges, edges across apps, squashes in and after transition, partly migrated databases."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from migsync.history import App, History, Key, Migration, build_history
from tests.history.judge import NESTED, Verdict, judge

APPS = ("blog", "shop", "users")
WORDS = ("a", "b", "c", "merge")


@dataclass
class Project:
    """Files that Django loads, and databases that it accepts."""

    history: History
    rows: list[frozenset[Key]] = field(default_factory=list)

    def verdict(self, rows: frozenset[Key]) -> Verdict:
        return verdict(self.history, rows)


def verdict(history: History, rows: frozenset[Key]) -> Verdict:
    return judge(list(history.migrations.values()), list(history.apps.values()), {}, rows)


def projects(*, merges: bool = True, squashes: bool = True) -> st.SearchStrategy[Project]:
    """Shrinks by size; the rest is drawn from a seed, since a graph has too many choices to be drawn one by one."""
    return st.builds(
        lambda size, seed: make_project(random.Random(seed), size, merges=merges, squashes=squashes),
        st.integers(1, 14),
        st.integers(0, 2**32),
    )


def make_project(rng: random.Random, size: int, *, merges: bool, squashes: bool) -> Project:
    made: dict[Key, Migration] = {}
    apps = APPS[: rng.randint(1, 3)]
    tidy = rng.random() < 0.3
    for _ in range(size):
        new = _grown(rng, made, rng.choice(apps), merges=merges, tidy=tidy)
        made[new.key] = new
    for _ in range(rng.choice([0, 0, 1, 2]) if squashes else 0):
        made = _loading(_squashed(rng, made), made)
    history = _history(made)
    rows = [_migrated(rng, history) for _ in range(rng.randint(0, 3))]
    accepted = [each for each in rows if not (found := verdict(history, each)).error and not found.inconsistent]
    return Project(history, accepted)


def _grown(rng: random.Random, made: Mapping[Key, Migration], app: str, *, merges: bool, tidy: bool) -> Migration:
    own = [key for key in made if key.app == app]
    others = [key for key in made if key.app != app]
    key = _name(rng, own, app, tidy=tidy)
    shape = (
        "last" if tidy else rng.choice(["last", "last", "last", "any", "any", "several" if merges else "any", "none"])
    )
    parents = {"last": own[-1:], "any": own and [rng.choice(own)], "none": [], "several": own}[shape]
    if shape == "several":
        parents = rng.sample(own, min(len(own), rng.randint(2, 3)))
    dependencies = [*parents, *rng.sample(others, min(len(others), rng.choice([0, 0, 1])))]
    new = Migration(key, dependencies=tuple(dependencies), operations=len(parents) < 2 or rng.random() < 0.05)
    if rng.random() < 0.1 and made:
        early = replace(new, run_before=(rng.choice(list(made)),))
        if not _history({**made, key: early}).cycle:
            return early
    return new


def _name(rng: random.Random, own: list[Key], app: str, *, tidy: bool) -> Key:
    taken = set(own)
    while True:
        number = len(own) + 1 if tidy else max(1, len(own) + rng.choice([-1, 0, 1, 1, 1, 2, 3]))
        name = rng.choice(WORDS) if rng.random() < 0.03 and not tidy else f"{number:04}_{rng.choice(WORDS)}"
        if (key := Key(app, name)) not in taken:
            return key


def _squashed(rng: random.Random, made: Mapping[Key, Migration]) -> dict[Key, Migration]:
    """A squash of a path in one app; what it replaces stays or goes."""
    path = [rng.choice(list(made))]
    while len(path) < 4 and rng.random() < 0.8:
        parents = [parent for parent in made[path[0]].in_app_parents if parent in made]
        path[:0] = parents[:1]
    if any(key in each.replaces for each in made.values() for key in path) and rng.random() < 0.95:
        return dict(made)
    if any(made[key].replaces for key in path) and not NESTED:
        return dict(made)  # a squash of a squash in transition is more than this Django does
    squash = Key(path[0].app, f"{path[0].name}_squashed_{path[-1].name}_{len(made)}")
    outside = dict.fromkeys(up for key in path for up in made[key].dependencies if up not in path)
    early = tuple(dict.fromkeys(down for key in path for down in made[key].run_before))
    after = {**made, squash: Migration(squash, dependencies=tuple(outside), replaces=tuple(path), run_before=early)}
    if rng.random() < 0.4:
        for key in path:
            del after[key]
    if rng.random() < 0.4:
        for key, each in after.items():
            if key != squash and key not in path and path[-1] in each.dependencies:
                new = dict.fromkeys(squash if up == path[-1] else up for up in each.dependencies)
                after[key] = replace(each, dependencies=tuple(new))
    return after


def _loading(new: dict[Key, Migration], old: dict[Key, Migration]) -> dict[Key, Migration]:
    """The new files, if Django loads them for a new database."""
    try:
        history = _history(new)
    except KeyError:
        return old
    return old if history.findings or verdict(history, frozenset()).error else new


def _history(made: Mapping[Key, Migration]) -> History:
    return build_history(made.values(), [App(label, f"/p/{label}") for label in APPS])


def _migrated(rng: random.Random, history: History) -> frozenset[Key]:
    """Rows after some migrations of a random legal order; what a squash replaced was applied under the old names."""
    rows: set[Key] = set()
    applied: set[Key] = set()
    gone = {key: each.replaces for key, each in history.migrations.items() if each.replaces}
    for _ in range(rng.randint(0, len(history.migrations) + 1)):
        ready = [
            key
            for key in history.migrations
            if key not in applied
            and applied.issuperset(history.parents(key))
            and all(replaced in applied for replaced in gone.get(key, ()) if replaced in history.migrations)
        ]
        if not ready:
            break
        key = rng.choice(ready)
        applied.add(key)
        rows.update(gone.get(key, ()))
        if key not in gone or rng.random() < 0.5:
            rows.add(key)
    return frozenset(rows)
