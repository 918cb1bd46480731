"""Squashes asked of the project's own Django, in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migsync.errors import HistoryError
from migsync.findings import Finding
from migsync.history import Key
from migsync.project import Project
from migsync.worker.client import Failure, ask


@dataclass(frozen=True)
class SquashRequest:
    """A range of migrations of one app, in the graph's order, and what is to be made of them.

    `name` is the new migration's, `heading` the comment at the top of its file (lines without ``#``). Without
    `optimize`, the operations stay as they are, elidable ones included. `keep_replaces`: Django's way in two phases.
    `kept` are names of the range whose elidable operations stay in any case.
    """

    app: str
    names: tuple[str, ...]
    name: str
    optimize: bool = True
    keep_replaces: bool = False
    heading: str = ""
    kept: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """The new migration's key."""
        return Key(self.app, self.name)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys of the range."""
        return tuple(Key(self.app, name) for name in self.names)


@dataclass(frozen=True)
class SquashAnswer:
    """One squash: the `text` of its file, with `before` and `after` operations.

    `elided`: (key of a migration, one of its elidable operations in words) for each that the optimizer left out;
    `kept` the same for each that it would have.
    `notes` say what was carried and how; with an error among them there is no text.
    """

    text: str
    before: int
    after: int
    elided: tuple[tuple[Key, str], ...] = ()
    kept: tuple[tuple[Key, str], ...] = ()
    notes: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> bool:
        """True when there is no text."""
        return any(note.blocks for note in self.notes)


def ask_squash(
    project: Project,
    requests: Sequence[SquashRequest],
    files: Mapping[str, bytes | None] | None = None,
    *,
    stands: Mapping[Key, tuple[Key, ...]] | None = None,
) -> tuple[SquashAnswer, ...]:
    """The squash for each request, all from one start of Django, with `files` (by path) over those on disk.

    What depends on a migration of another request's range depends on that one's squash, or on what `stands` says.
    Raises HistoryError where Django does not start or does not load the migrations, ProjectError without settings.
    """
    document = {
        "task": "squash",
        "ranges": [_range(request) for request in requests],
        "stands": [(old, list(new)) for old, new in {**_standing(requests), **(stands or {})}.items()],
    }
    (answered,) = ask(project, [document], [files or {}])
    if answered.failure:
        raise _error(answered.failure)
    return tuple(
        _answer(request, squash) for request, squash in zip(requests, answered.report["squashes"], strict=True)
    )


def _standing(requests: Sequence[SquashRequest]) -> dict[Key, tuple[Key, ...]]:
    """Where the old files stay, the old names do too: Django itself reads them as the squash."""
    return {key: (request.key,) for request in requests if not request.keep_replaces for key in request.keys}


def _range(request: SquashRequest) -> dict[str, Any]:
    return {
        "app": request.app,
        "names": request.names,
        "name": request.name,
        "optimize": request.optimize,
        "keep_replaces": request.keep_replaces,
        "heading": request.heading,
        "kept": request.kept,
    }


def _answer(request: SquashRequest, squash: Mapping[str, Any]) -> SquashAnswer:
    return SquashAnswer(
        squash["text"],
        squash["before"],
        squash["after"],
        tuple((Key(request.app, name), words) for name, words in squash["elided"]),
        tuple((Key(request.app, name), words) for name, words in squash["kept"]),
        tuple(Finding.from_dict(note) for note in squash["notes"]),
    )


def _error(failure: Failure) -> HistoryError:
    place = f" ({failure.file}:{failure.line})" if failure.file else ""
    return HistoryError(
        f"{failure.sentence}{place}",
        "Without it there are no operations to compose.",
        "Mend that first, then try again.",
    )
