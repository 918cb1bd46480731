"""What crosses the boundary for the task of :mod:`migsync.worker.build`; like :mod:`migsync.worker.protocol`."""

from collections.abc import Mapping
from typing import NamedTuple

from migsync.key import Key


class BuildRequest(NamedTuple):
    """Run every migration that the routers allow for `alias` on the scratch database `name`; those `first` first.

    `directory` takes the files that migrations write. `hidden` are squashes that do not count. `setup` is SQL that runs
    before. `schema` is the one of a tenant, whose apps are not those of the shared schema. `server` are settings of an
    alias (``HOST`` …) that lead to another server than its own. With `whole`, the whole catalog is read after each
    migration, and not only the tables that its statements name.
    """

    alias: str
    name: str
    directory: str
    first: tuple[Key, ...] = ()
    hidden: tuple[Key, ...] = ()
    setup: str = ""
    server: Mapping[str, str] = {}
    whole: bool = False
    foreign: bool = False
    labels: Mapping[str, str] = {}
    by_statement: tuple[Key, ...] = ()
    schema: str = ""


class Statement(NamedTuple):
    """A statement of a migration, as it can be typed, and what it changed in the catalog."""

    sql: str
    changes: tuple[tuple[str, str, str, str | None], ...]


class MigrationTrace(NamedTuple):
    """What one migration changed in the catalog: parts (kind, table, name), and their definition; None where it went.

    `custom`: it has operations that may do what no catalog shows, such as RunPython and RunSQL.
    """

    key: Key
    changes: tuple[tuple[str, str, str, str | None], ...]
    custom: bool = False


class BuildResult(NamedTuple):
    """The trace of each migration in the order in which they ran; and those that could not run, with the reason.

    `files` are the files of the project that the process imported, with their digests. `complete`: the traces together
    are the catalog at the end. `routed`: database routers may have kept some of them away from this alias. Where the
    backend knows tenants, `schema` is the one that was built, and `shared` the name of the one that they share.
    `statements` are those of each migration that was asked for; `reversal` are those that unapply the last one, if it
    can be unapplied.
    """

    traces: tuple[MigrationTrace, ...]
    unbuilt: tuple[tuple[Key, str], ...] = ()
    files: Mapping[str, str] = {}
    complete: bool = True
    routed: bool = False
    schema: str = ""
    shared: str = ""
    statements: tuple[tuple[Key, tuple[Statement, ...]], ...] = ()
    reversal: tuple[Statement, ...] = ()
