"""What is known of the project's databases when a range is chosen: which of it they have run, and which they have not.

A proof runs on empty tables. What a squash does to rows that are there is a matter of the databases that stand before
it and hold some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migsync.engines import engine_of
from migsync.history import History, Key

if TYPE_CHECKING:
    from migsync.refactor.pipeline import Ground


@dataclass(frozen=True)
class Databases:
    """By alias what counts as applied in each that was read; `unread` are the aliases that could not be.

    `engines` are those of all the databases of the project.
    """

    applied: Mapping[str, frozenset[Key]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    engines: frozenset[str] = frozenset()

    def lacking(self, history: History, keys: Sequence[Key]) -> dict[Key, tuple[str, ...]]:
        """For each of `keys` that is still to be run where there may be rows: the aliases of those databases.

        A database has none where nothing was run that the keys come after.
        """
        behind = [alias for alias, applied in self.applied.items() if applied and not applied.issuperset(keys)]
        before = history.ancestors(keys) if behind else ()
        behind = [alias for alias in behind if not self.applied[alias].isdisjoint(before)]
        found = {key: tuple(alias for alias in behind if key not in self.applied[alias]) for key in keys}
        return {key: aliases for key, aliases in found.items() if aliases}


def databases_of(ground: Ground) -> Databases:
    """What a survey has found out."""
    history = ground.survey.history
    return Databases(
        {
            reading.target.alias: history.state(applied).applied
            for reading, applied in zip(ground.readings, ground.applied, strict=True)
        },
        tuple(ground.survey.errors),
        frozenset(engine_of(config.url).name for config in ground.survey.project.targets() if config.error is None),
    )
