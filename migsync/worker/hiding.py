"""A loader for which some squashes are not there yet: Django as it was on the databases from before them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

Node = tuple[str, str]


def loader_without(hidden: Collection[Node]) -> Any:  # noqa: ANN401 -- Django has no types
    """Django's ``MigrationLoader``, for which the squashes `hidden` are not on disk."""
    from django.db.migrations.loader import MigrationLoader

    class Loader(MigrationLoader):
        """Whoever depends on a hidden squash depends on all that it replaces."""

        def load_disk(self) -> None:
            super().load_disk()
            _hide(self.disk_migrations, hidden)

    return Loader


def whole_squashes(migrations: Mapping[Node, Any]) -> dict[Node, list[Node]]:
    """The squashes of which every replaced migration is on disk too, with those."""
    found = {key: [(app, name) for app, name in migration.replaces] for key, migration in migrations.items()}
    return {key: replaced for key, replaced in found.items() if replaced and migrations.keys() >= set(replaced)}


def _hide(migrations: dict[Node, Any], hidden: Collection[Node]) -> None:
    gone = {key: migrations.pop(key).replaces for key in hidden if key in migrations}

    def standing(keys: Iterable[Any]) -> Iterator[Any]:
        for key in keys:
            if tuple(key) in gone:
                yield from standing(gone[tuple(key)])
            else:
                yield key

    for migration in migrations.values():
        migration.replaces = [key for key in migration.replaces if tuple(key) not in gone]
        for attribute in ("dependencies", "run_before"):
            keys = getattr(migration, attribute)
            if any(tuple(key) in gone for key in keys):
                setattr(migration, attribute, list(dict.fromkeys(standing(keys))))
