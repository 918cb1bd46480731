"""The command's own steps: which label the code has, the history as it was under the old one, and what is wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from migsync.errors import MigsyncError, UsageError
from migsync.files.reshape import Reshape
from migsync.history import History
from migsync.history.graph import relabelled
from migsync.refactor.ground import Ground
from migsync.refactor.rename_app.content_types import find_label_uses, label_notes
from migsync.refactor.rename_app.references import find_references
from migsync.refactor.rename_app.rename_app import not_yet, relabel
from migsync.sync.survey import Survey


def look_back(survey: Survey, old: str, new: str) -> None:
    """Have the survey see the history under the label `old`, where the code has `new` already.

    Raises UsageError for labels that are none, an app that is not the project's own, and where both are apps.
    """
    history = survey.history
    for label in (old, new):
        if not re.fullmatch(r"[A-Za-z_]\w*", label):
            raise UsageError(f"{label!r} cannot be an app's label.", "A label is a Python identifier.")
    if old == new:
        raise UsageError(f"{old} and {new} are the same label.")
    if old in history.apps and new in history.apps:
        raise UsageError(
            f"{old} and {new} are both apps of this project.",
            "A label can only be given to an app that no other app has.",
            "Choose another label.",
        )
    label = new if new in history.apps else old
    if label not in history.first_party:
        known = ", ".join(sorted(history.first_party)) or "none"
        what = "is not this project's own app" if label in history.apps else "is no app of this project"
        raise UsageError(f"{label} {what}.", "", f"Its own apps with migrations: {known}.")
    if label == new:
        project = survey.project
        survey.history = relabelled(history, new, old, project.settings, complete=not project.static)


def rename_app(ground: Ground, old: str, new: str) -> Reshape:
    """What the files must become, from a survey that :func:`look_back` has turned."""
    survey = ground.survey
    history = survey.history
    references = tuple(find_references(survey.project.root, history, old))
    if not _code_has(ground, new):
        return not_yet(history, old, new, references)
    if not _is_known(ground, old):
        raise UsageError(
            f"No migration and no database knows an app {old}.",
            f"{new} has never had that label, or was given its own in files and records already.",
        )
    made = relabel(history, old, new, references=references)
    return replace(made, notes=tuple(_notes(ground, old, new)))


def _code_has(ground: Ground, new: str) -> bool:
    return any(app.label == new for app in ground.survey.project.apps)


def _is_known(ground: Ground, old: str) -> bool:
    """Whether anything bears the old label: files (as they are on disk), or records."""
    recorded = any(record.app == old for it in ground.databases.values() for record in it.records)
    return recorded or _named(ground.survey.history, old)


def _named(history: History, old: str) -> bool:
    """Whether a file names the label in its text; the history is seen under it in any case."""
    from pathlib import Path

    word = re.compile(rf"\b{re.escape(old)}\b".encode())
    paths = [it.path for it in history.migrations.values() if it.key.app in history.first_party and it.path]
    return any(word.search(Path(path).read_bytes()) for path in paths if Path(path).is_file())


def _notes(ground: Ground, old: str, new: str) -> Iterator[str]:
    for alias, target in ground.survey.targets.items():
        try:
            yield from label_notes(find_label_uses(target, old, new), old, new)
        except MigsyncError as error:
            yield f"{alias}: what else carries the label could not be read. {error.found}"
