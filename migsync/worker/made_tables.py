"""What crosses the boundary for the task of :mod:`migsync.worker.tables`; like :mod:`migsync.worker.protocol`."""

from typing import NamedTuple


class TablesRequest(NamedTuple):
    """The migrations `names` of an app, in an order in which they can run."""

    app: str
    names: tuple[str, ...]


class MadeTables(NamedTuple):
    """One migration: a digest of all tables of the app after it (empty without any), and its `code` as digests.

    `changes`: the tables are others than before it.
    """

    name: str
    tables: str
    code: tuple[str, ...]
    changes: bool


class TablesResult(NamedTuple):
    """Each migration, in the order in which they were asked for."""

    files: tuple[MadeTables, ...]
