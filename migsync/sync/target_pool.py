"""Targets that are open at the same time, and the connections that they share."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from migsync.engines import engine_of
from migsync.engines.config import DatabaseConfig
from migsync.sync.target import Target, open_target

if TYPE_CHECKING:
    import sqlalchemy as sa


CONNECTIONS = 32
"""As many connections an entry has at most; it makes no more than are used at a time."""


class TargetPool:
    """Opens targets. The members of one entry share up to `connections` connections.

    A context manager: leaving it closes the targets.
    """

    def __init__(self, connections: int = CONNECTIONS) -> None:
        self.connections = connections
        self._shared: dict[str, sa.Engine] = {}
        self._members: dict[str, Target] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._open.close()

    def open(self, config: DatabaseConfig) -> Target:
        """As :func:`open_target`; a member of an entry is the same target each time."""
        if config.error is not None or not config.shared_by:
            return self._open.enter_context(open_target(config))
        if config.alias in self._members:
            return self._members[config.alias]
        behaviour = engine_of(config.url)
        if config.entry not in self._shared:
            engine = self._shared[config.entry] = behaviour.create(config, self.connections)
            self._open.callback(engine.dispose)
        found = self._members[config.alias] = Target(config, behaviour, self._shared[config.entry])
        return found

    def release(self) -> None:
        """Close the connections that nobody uses, as before a person is asked; a next use makes new ones."""
        for engine in self._shared.values():
            engine.dispose()
