"""``tidy``: what finishes the open squashes, once every database is past them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from migsync.files.reshape import Collapse, DependencyChanges, KeyChanges, Reshape
from migsync.findings import Finding
from migsync.findings.squash import squash_overlap
from migsync.findings.tidy import name_of_replaced, others_ready, squash_partial, squash_unknown, squash_unrecorded
from migsync.history import History, Key
from migsync.refactor.preconditions import broken, chosen_apps
from migsync.refactor.tidy.progress import DatabaseRecords, SquashState
from migsync.refactor.tidy.transitions import SquashTransition, transitions


def tidy(
    history: History,
    databases: Sequence[DatabaseRecords],
    *,
    apps: Collection[str] = (),
    remove_replaced: bool = False,
    assume_deployed: bool = False,
) -> Reshape:
    """Point dependants to the squashes of `apps` (default: all), and finish those whose old files are gone.

    With `remove_replaced` the old files go as well. A database that is not past a squash refuses all of it, by an error
    that names both; `assume_deployed` takes databases out of reach to be past all of them. A squash that replaces an
    open one waits for that. Raises UsageError for an app that is not of this project.
    """
    labels = chosen_apps(history, apps)
    options = "--remove-replaced" if remove_replaced else ""
    command = " ".join(filter(None, ["tidy", *sorted(apps), options]))
    if findings := broken(history):
        return Reshape(command, findings=findings)
    asked = transitions(history, databases, labels)
    found = [each for each in asked if not each.squash.inner]
    waiting = [each for each in asked if each.squash.inner]
    obstacles = {each.squash.key: tuple(_obstacles(history, each, assume_deployed)) for each in found}
    findings = (*(finding for each in obstacles.values() for finding in each), *_others_ready(obstacles, options))
    # With old files on disk `replaces` must stay: without it Django would run both them and the squash.
    settled = [each for each in found if remove_replaced or not each.squash.files]
    others = [each for each in found if each not in settled]
    # A collapse pairs keys of one app. What a squash replaces in another app is removed, with the squash in its place
    # for whoever depends on it.
    foreign = [key for each in settled for key in each.squash.foreign if key.app in history.first_party]
    successors = {key: (each.squash.key,) for each in settled for key in each.squash.foreign}
    return Reshape(
        command,
        KeyChanges(
            removed={key: successors[key] for key in foreign},
            collapsed=tuple(_collapse(each) for each in settled if each.squash.own),
        ),
        DependencyChanges(
            parents=_inherited(history, settled),
            successors=successors,
            redirected=_redirected(others),
            settled=frozenset(each.squash.key for each in settled),
        ),
        notes=tuple(_notes(others, waiting)),
        findings=findings,
    )


def _collapse(transition: SquashTransition) -> Collapse:
    squash = transition.squash
    # The squash is old and new: a database may hold its row, the rows of what it replaces, or both.
    return (*squash.own, squash.key), (squash.key,)


def _inherited(history: History, settled: Iterable[SquashTransition]) -> dict[Key, tuple[Key, ...]]:
    """The parents of squashes that also need what their old files depended on in other apps.

    As long as a squash has `replaces`, Django gives it these dependencies. When that goes, its file has to name them.
    """
    stands = {key: each.squash.key for each in settled for key in each.squash.replaced}
    found: dict[Key, tuple[Key, ...]] = {}
    for squash in (each.squash for each in settled):
        above = history.ancestors([squash.key])
        named = (parent for key in squash.files for parent in history.migrations[key].dependencies)
        others = [key for key in named if key.app != squash.key.app and stands.get(key, key) in history.migrations]
        missing = dict.fromkeys(stands.get(key, key) for key in others if above.isdisjoint({key, stands.get(key, key)}))
        # Two squashes of which each needs a part of the other have no order that could be stated.
        free = [key for key in missing if squash.key not in history.ancestors([key])]
        if free:
            found[squash.key] = (*history.migrations[squash.key].in_app_parents, *free)
    return found


def _redirected(found: Iterable[SquashTransition]) -> dict[Key, dict[Key, tuple[Key, ...]]]:
    redirected: dict[Key, dict[Key, tuple[Key, ...]]] = {}
    for each in found:
        for child, named in each.squash.dependants.items():
            if child not in each.fixed:
                redirected.setdefault(child, {}).update(dict.fromkeys(named, (each.squash.key,)))
    return redirected


def _notes(others: Sequence[SquashTransition], waiting: Sequence[SquashTransition]) -> Iterator[str]:
    if others:
        count = sum(len(each.squash.files) for each in others)
        names = ", ".join(str(each.squash.key) for each in others)
        yield f"The {count} old files that {names} replaced are kept. To remove them, add --remove-replaced."
    for each in waiting:
        inner = ", ".join(map(str, each.squash.inner))
        yield f"{each.squash.key} replaces {inner}, which is finished first. Then run this again: migsync tidy"


def _obstacles(history: History, transition: SquashTransition, assume_deployed: bool) -> Iterator[Finding]:
    squash = transition.squash
    key, path = squash.key, history.migrations[squash.key].path
    for place in transition.places:
        if place.state is SquashState.PARTIAL:
            gone = [each for each in place.missing if each not in squash.files]
            yield squash_partial(
                migration=key, alias=place.alias, applied=place.rows, missing=place.missing, gone=gone, file=path
            )
        # What is replaced in another app needs a row of the squash, which an assumption does not make.
        elif place.state is SquashState.UNREACHABLE and not (assume_deployed and not squash.foreign):
            yield squash_unknown(
                migration=key, alias=place.alias, reason=place.error, foreign=squash.foreign, file=path
            )
        elif place.state is SquashState.REPLACED and squash.foreign:
            yield squash_unrecorded(migration=key, alias=place.alias, foreign=squash.foreign, file=path)
    for each in squash.later:
        yield name_of_replaced(migration=key, replaced=each, file=history.migrations[each].path)
    for each in squash.rivals:
        yield squash_overlap(migration=key, other=each, file=path)


def _others_ready(obstacles: Mapping[Key, Sequence[Finding]], options: str) -> Iterator[Finding]:
    """Where one squash is refused, the apps that could be tidied without it."""
    refused = {squash.app for squash, findings in obstacles.items() if findings}
    ready = sorted({squash.app for squash in obstacles} - refused)
    if refused and ready:
        yield others_ready(apps=ready, options=options)
