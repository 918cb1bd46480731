"""Where the files say that one migration depends on another: the name that makes an edge of the graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from migsync.history.graph import History
from migsync.history.migration import FIRST, LATEST, SETTING, Key


class EdgeStatement(NamedTuple):
    """The file of `migration` names `named`, in its ``run_before`` or else in its ``dependencies``.

    `named` may be ``__first__`` or ``__latest__`` of an app, or a setting: see :class:`Migration`.
    """

    migration: Key
    named: Key
    run_before: bool = False

    @property
    def symbolic(self) -> bool:
        """True where the same words may mean another migration tomorrow."""
        return self.named.app == SETTING or self.named.name in (FIRST, LATEST)


def edge_statement(history: History, child: Key, parent: Key) -> EdgeStatement | None:
    """What makes `child` depend on `parent`, both nodes of a graph; None where no file that was read says so."""
    return next(_statements(history, child, parent), None)


def _statements(history: History, child: Key, parent: Key) -> Iterator[EdgeStatement]:
    # A squash in the graph has the edges of what it replaces.
    children, parents = (_with_replaced(history, key) for key in (child, parent))
    for key in children:
        if key in history.migrations:
            named = [*parents, Key(parent.app, LATEST), Key(parent.app, FIRST)]
            there = history.migrations[key].dependencies
            yield from (EdgeStatement(key, each) for each in named if each in there)
    for key in parents:
        if key in history.migrations:
            there = history.migrations[key].run_before
            yield from (EdgeStatement(key, each, run_before=True) for each in children if each in there)
    for key in children:
        if key in history.migrations:
            there = history.migrations[key].dependencies
            yield from (EdgeStatement(key, each) for each in there if each.app == SETTING)


def _with_replaced(history: History, key: Key) -> list[Key]:
    return [key, *(history.migrations[key].replaces if key in history.migrations else ())]
