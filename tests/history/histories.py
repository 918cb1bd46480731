"""Random histories: apps with forks, merges, squashes and squashes of squashes, in every state of transition."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from migsync.history import FIRST, LATEST, SETTING, App, Key, Migration

APPS = ["blog", "shop", "users"]


@dataclass
class Files:
    """What is on disk, and the names that once were."""

    migrations: list[Migration]
    apps: list[App]
    settings: dict[str, str] = field(default_factory=lambda: {"AUTH_USER_MODEL": "users.User"})
    gone: list[Key] = field(default_factory=list)

    @property
    def keys(self) -> list[Key]:
        return [migration.key for migration in self.migrations] + self.gone


@st.composite
def files(draw: st.DrawFn, max_size: int = 9) -> Files:
    made: list[Migration] = []
    labels = draw(st.sampled_from([APPS[:1], APPS[:2], APPS]))
    squashes: set[Key] = set()
    for number in range(draw(st.integers(2, max_size))):
        app = draw(st.sampled_from(labels))
        own = [each for each in made if each.key.app == app]
        if len(own) >= 2 and draw(st.integers(0, 2)) == 0:
            squash = _squash(draw, app, number, own)
            squashes.add(squash.key)
            made.append(squash)
        else:
            made.append(_plain(draw, app, number, made))
    made, gone = _remove_files(draw, made, squashes)
    order = draw(st.permutations(made)) if draw(st.booleans()) else made
    apps = [App(label, label) for label in labels] + [App("plain", None)]
    return Files(list(order), apps, gone=gone)


def _plain(draw: st.DrawFn, app: str, number: int, made: list[Migration]) -> Migration:
    own = [each.key for each in made if each.key.app == app]
    others = [each.key for each in made if each.key.app != app]
    dependencies: list[Key] = []
    if own:
        # Mostly a chain; sometimes a fork (not the last), a merge (several) or a second root (none).
        shape = draw(st.sampled_from(["last"] * 4 + ["any", "several", "none"]))
        if shape == "last":
            dependencies.append(own[-1])
        elif shape != "none":
            dependencies += draw(st.lists(st.sampled_from(own), min_size=1, max_size=3 if shape == "several" else 1))
    if others and draw(st.integers(0, 2)) == 0:
        dependencies.append(draw(st.sampled_from(others)))
    if draw(st.integers(0, 11)) == 0:
        dependencies.append(_special(draw, made))
    run_before: list[Key] = []
    if draw(st.integers(0, 11)) == 0:
        # Of what is there, which may make a cycle, and of what may come, which may dangle.
        later = Key(app, f"{number + 1:04d}_m")
        run_before.append(draw(st.sampled_from([*others, later, _special(draw, made)])))
    return Migration(Key(app, f"{number:04d}_m"), dependencies=tuple(dependencies), run_before=tuple(run_before))


def _special(draw: st.DrawFn, made: list[Migration]) -> Key:
    if draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from([Key("unknown", FIRST), Key("blog", "0000_gone"), Key("shop", LATEST)]))
    labels = sorted({each.key.app for each in made} | {"plain"})
    choices = [Key(label, name) for label in labels for name in (FIRST, LATEST)]
    return draw(st.sampled_from([*choices, Key(SETTING, "AUTH_USER_MODEL")] if "users" in labels else choices))


def _squash(draw: st.DrawFn, app: str, number: int, own: list[Migration]) -> Migration:
    start = draw(st.integers(0, len(own) - 1))
    replaced = own[start : start + draw(st.integers(1, 4))]
    if draw(st.integers(0, 4)) == 0:
        replaced = draw(st.permutations(replaced))
    keys = [each.key for each in replaced]
    dependencies = dict.fromkeys(key for each in replaced for key in each.dependencies if key not in keys)
    return Migration(Key(app, f"{number:04d}_squash"), dependencies=tuple(dependencies), replaces=tuple(keys))


def _remove_files(draw: st.DrawFn, made: list[Migration], squashes: set[Key]) -> tuple[list[Migration], list[Key]]:
    """Some squashes lose some or all of the files that they replace; dependants may be pointed to the squash."""
    gone: set[Key] = set()
    instead: dict[Key, Key] = {}
    for squash in [each for each in made if each.key in squashes]:
        fate = draw(st.sampled_from(["keep", "all", "some"]))
        if fate != "keep":
            keys = list(squash.replaces)
            lost = keys if fate == "all" else draw(st.lists(st.sampled_from(keys), unique=True))
            gone.update(lost)
            if draw(st.booleans()):
                instead.update(dict.fromkeys(lost, squash.key))
    left = [
        replace(each, dependencies=tuple(dict.fromkeys(instead.get(key, key) for key in each.dependencies)))
        for each in made
        if each.key not in gone
    ]
    left = [replace(each, dependencies=tuple(key for key in each.dependencies if key != each.key)) for each in left]
    return left, sorted(gone)
