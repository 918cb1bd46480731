"""What a person asks of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PlanRequest:
    """What a person asks of a survey, as text from the command line.

    `maps` are ``APP.OLD=NEW``, `collapses` ``APP.NEW=OLD+OLD``, `removes` and `news` ``APP.NAME``, `positions`
    ``APP=REWRITE``, `prune` ``APP``, ``APP.NAME`` or a pattern, `record` and `unrecord` ``APP.NAME``. `accept` takes
    hinted pairs as if they were proven. With `trust_names` no journal is expected in the databases. `backwards` lets
    records go back to the names of older files. With `against_evidence` migsync goes on although what it knows of a
    migration that ran contradicts what was stated or what is recorded. `third_party`: the statements are about apps of
    installed packages. `repairs` are by alias what the database shows: ``record``, ``inferred`` (which of them leave no
    trace) and ``unrecord``, each ``APP.NAME``.
    """

    databases: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    collapses: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    news: tuple[str, ...] = ()
    accept: bool = False
    prune: tuple[str, ...] = ()
    record: tuple[str, ...] = ()
    unrecord: tuple[str, ...] = ()
    dedupe: bool = False
    positions: tuple[str, ...] = ()
    trust_names: bool = False
    backwards: bool = False
    against_evidence: bool = False
    third_party: bool = False
    repairs: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
