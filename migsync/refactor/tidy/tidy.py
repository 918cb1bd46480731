"""``tidy``: what finishes the open squashes, once every database is past them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from migsync.files.reshape import Collapse, DependencyChanges, KeyChanges, Reshape
from migsync.findings import Finding, Severity
from migsync.history import History, Key
from migsync.refactor.preconditions import broken, chosen_apps
from migsync.refactor.tidy.progress import DatabaseProgress, DatabaseRecords, SquashState
from migsync.refactor.tidy.transitions import SquashTransition, transitions
from migsync.words import truncated

NAMED = 5
DEPLOY_FIRST = "Without the old files, `migrate` there would run again what ran, or never run the rest."


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
    command = " ".join(["tidy", *sorted(apps), *(["--remove-replaced"] if remove_replaced else [])])
    if findings := broken(history):
        return Reshape(command, findings=findings)
    asked = transitions(history, databases, labels)
    found = [each for each in asked if not each.squash.inner]
    waiting = [each for each in asked if each.squash.inner]
    obstacles = {each.squash.key: tuple(_obstacles(history, each, assume_deployed)) for each in found}
    findings = (*(finding for each in obstacles.values() for finding in each), *_others_ready(obstacles))
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
        yield f"The {count} old files that {names} replaced stay; they go with --remove-replaced."
    for each in waiting:
        inner = ", ".join(map(str, each.squash.inner))
        yield f"{each.squash.key} waits for {inner}, which it replaces: run tidy again for it."


def _obstacles(history: History, transition: SquashTransition, assume_deployed: bool) -> Iterator[Finding]:
    squash, path = transition.squash, history.migrations[transition.squash.key].path
    for place in transition.places:
        if place.state is SquashState.PARTIAL:
            yield _error("squash-partial", transition, *_partial(transition, place), path)
        # What is replaced in another app needs a row of the squash, which an assumption does not make.
        elif place.state is SquashState.UNREACHABLE and not (assume_deployed and not squash.foreign):
            yield _error("squash-unknown", transition, *_unreachable(transition, place), path)
        elif place.state is SquashState.REPLACED and squash.foreign:
            found = f"{place.alias} has recorded all that {squash.key} replaces, some of it in another app, and not it."
            meaning = "A record is never carried from one app to another."
            yield _error(
                "squash-unrecorded",
                transition,
                found,
                meaning,
                f"Let Django record it first: manage.py migrate --database {place.alias}",
                path,
            )
    for key in squash.later:
        yield _error(
            "name-of-replaced",
            transition,
            f"{squash.key} replaces {key}, and the file of that name depends on {squash.key}.",
            "It is another migration, which took the name later; Django cannot load the two together.",
            f"Rename {key}, or take its name out of `replaces` by hand.",
            history.migrations[key].path,
        )
    for key in squash.rivals:
        yield _error(
            "squash-overlap",
            transition,
            f"{squash.key} and {key} replace the same migrations.",
            "Which of the two stands for them is not known.",
            "Take one of the squashes away, or take what they share out of its `replaces`.",
            path,
        )


def _others_ready(obstacles: Mapping[Key, Sequence[Finding]]) -> Iterator[Finding]:
    """Where one squash is refused, the apps that could be tidied without it."""
    refused = {squash.app for squash, findings in obstacles.items() if findings}
    ready = sorted({squash.app for squash in obstacles} - refused)
    if refused and ready:
        yield Finding(
            "others-ready",
            Severity.INFO,
            f"Nothing stands in the way of the squashes of {', '.join(ready)}.",
            hint=f"Name these apps alone: migsync tidy {' '.join(ready)}",
        )


def _partial(transition: SquashTransition, place: DatabaseProgress) -> tuple[str, str, str]:
    squash = transition.squash
    gone = [key for key in place.missing if key not in squash.files]
    first = (
        f"Bring back the file of {', '.join(truncated(gone, NAMED))}, then run it there"
        if gone
        else "Run the rest there first"
    )
    return (
        f"{place.alias} is not past {squash.key}: {', '.join(truncated(place.rows, NAMED)) or 'a part of it'} "
        f"{'is' if len(place.rows) == 1 else 'are'} applied there, {', '.join(truncated(place.missing, NAMED))} "
        f"{'is' if len(place.missing) == 1 else 'are'} not.",
        DEPLOY_FIRST,
        f"{first}: manage.py migrate {place.missing[-1].app} --database {place.alias}",
    )


def _unreachable(transition: SquashTransition, place: DatabaseProgress) -> tuple[str, str, str]:
    squash = transition.squash
    hint = "Make it reachable"
    if not squash.foreign:
        hint += "; or, where you know that it is past all of them, say so: --assume-deployed"
    return f"{place.alias} could not be read: {place.error}", f"Whether it is past {squash.key} is not known.", hint


def _error(code: str, transition: SquashTransition, found: str, meaning: str, hint: str, path: str) -> Finding:
    key = transition.squash.key
    return Finding(code, Severity.ERROR, found, meaning, hint, app=key.app, name=key.name, file=path)
