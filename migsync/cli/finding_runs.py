"""Which run a person means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migsync.errors import UnknownRun
from migsync.sync.run import Run


def find_runs(runs: Mapping[str, Sequence[Run]], text: str) -> dict[str, Run]:
    """By alias, the run that `text` means: its number, its id, or the beginning of its id.

    One id can be in two databases, where one was copied from the other. Raises UnknownRun for no run and for several.
    """
    if not text:
        raise UnknownRun("No run was named.")
    found = _numbered(runs, text) or _beginning(runs, text)
    ids = {run.id for run in found}
    if not ids:
        raise UnknownRun(f"There is no run {text} in {', '.join(runs) or 'any database'}.", "Nothing was changed.")
    if len(ids) > 1:
        raise UnknownRun(
            f"{text} can be any of {len(ids)} runs: {', '.join(sorted(ids))}.",
            "Nothing was changed.",
            "Give more of the id, or the database: --database ALIAS",
        )
    return {alias: run for alias, of_alias in runs.items() for run in of_alias if run.id in ids}


def _numbered(runs: Mapping[str, Sequence[Run]], text: str) -> list[Run]:
    if not (text.isascii() and text.isdigit()):
        return []
    return [run for of_alias in runs.values() for run in of_alias if run.number == int(text)]


def _beginning(runs: Mapping[str, Sequence[Run]], text: str) -> list[Run]:
    return [run for of_alias in runs.values() for run in of_alias if run.id.startswith(text.lower())]
