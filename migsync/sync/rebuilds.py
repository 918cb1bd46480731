"""Tables that Django was building in place of others when its process was killed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet

from migsync.findings import Finding
from migsync.findings.verification import rebuild_interrupted
from migsync.sync.target import Target


def left_by_rebuilds(target: Target, tables: Collection[str], made: AbstractSet[str]) -> Iterator[Finding]:
    """Those among the `tables` that are there; `made` are the tables that migrations make."""
    prefix = target.behaviour.rebuild_prefix
    for name in sorted(tables):
        rebuilt = name.removeprefix(prefix)
        if prefix and name != rebuilt and rebuilt in made:
            there = rebuilt in tables
            statement = f'DROP TABLE "{name}"' if there else f'ALTER TABLE "{name}" RENAME TO "{rebuilt}"'
            yield rebuild_interrupted(table=name, rebuilt=rebuilt, is_there=there, statements=[statement])
