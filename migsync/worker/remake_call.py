"""A remake asked of the project's own Django, in a process of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from migsync.errors import HistoryError
from migsync.findings import Finding
from migsync.history import Key
from migsync.project import Project
from migsync.worker.client import Failure, ask
from migsync.worker.remake.operations import Disposition


@dataclass(frozen=True)
class RemakeRequest:
    """The apps to be made anew, and what their new migrations may be called.

    `word` is in every new name; `taken` are, by app, the names that are not free. `drop` are migrations whose
    operations need not be carried over. `replaces`: every old migration is to be replaced by one of the new ones.
    `empty`: an app of which nothing would be left gets a migration without operations.
    """

    apps: tuple[str, ...]
    word: str
    taken: Mapping[str, Collection[str]]
    drop: tuple[Key, ...] = ()
    replaces: bool = False
    empty: bool = False


@dataclass(frozen=True)
class Carried:
    """One operation that the models do not show, of the migration `origin` in `file`, and what it is `called`.

    `fate` is what became of it, `into` the new migration that has it now, if one has.
    """

    origin: Key
    file: str
    called: str
    fate: Disposition
    into: Key | None = None


@dataclass(frozen=True)
class Remade:
    """What Django made of the apps: `files` are the new migrations in order, with their text.

    `pending` are the changes, (app, in words), that have no migration yet; then there is nothing else. `origins` are,
    by new migration, the number (from 1) of each operation that was carried over, with the old one that had it;
    `further` the files that hold nothing else. `notes` come from the making of the texts. `crossed` are apps whose old
    migrations cannot be shared out among the new; `empty` those whose new migration has no operations.
    """

    files: Mapping[Key, str]
    pending: tuple[tuple[str, str], ...] = ()
    carried: tuple[Carried, ...] = ()
    origins: Mapping[Key, tuple[tuple[int, Key], ...]] = field(default_factory=dict)
    further: frozenset[Key] = frozenset()
    notes: tuple[Finding, ...] = ()
    crossed: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


def ask_remake(project: Project, request: RemakeRequest) -> Remade:
    """Have the project's Django make the migrations of the request's apps from scratch; nothing is written.

    Raises HistoryError where Django does not start or does not load the migrations, ProjectError without settings.
    """
    document = {
        "task": "remake",
        "apps": request.apps,
        "word": request.word,
        "taken": {app: sorted(names) for app, names in request.taken.items()},
        "drop": request.drop,
        "replaces": request.replaces,
        "empty": request.empty,
    }
    (answered,) = ask(project, [document], [{}])
    if answered.failure:
        raise _error(answered.failure)
    return _remade(answered.report)


def _remade(report: Mapping[str, Any]) -> Remade:
    if report["pending"]:
        return Remade({}, tuple((app, words) for app, words in report["pending"]))
    files = {Key(each["app"], each["name"]): each for each in report["files"]}
    return Remade(
        {key: each["text"] for key, each in files.items()},
        carried=tuple(_carried(each) for each in report["unseen"]),
        origins={
            key: tuple((number, Key(app, name)) for number, app, name in each["origins"]) for key, each in files.items()
        },
        further=frozenset(key for key, each in files.items() if each["further"]),
        notes=tuple(Finding.from_dict(note) for each in files.values() for note in each["notes"]),
        crossed=tuple(report["crossed"]),
        empty=tuple(report["empty"]),
    )


def _carried(told: Mapping[str, Any]) -> Carried:
    return Carried(
        Key(told["app"], told["name"]),
        told["file"],
        told["called"],
        Disposition(told["fate"]),
        Key(told["app"], told["into"]) if told["into"] else None,
    )


def _error(failure: Failure) -> HistoryError:
    where = f" ({failure.file}:{failure.line})" if failure.file else ""
    return HistoryError(
        f"{failure.sentence}{where}",
        "Nothing can be made from scratch without it.",
        "Mend that first, then run this again.",
    )
