"""What is known about records without a file beyond the names on disk: where their files are, or what ran instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migsync.history import History
from migsync.history.migration import Key

if TYPE_CHECKING:
    from migsync.rewrites.evidence.evidence import Evidence


@dataclass(frozen=True)
class Origins:
    """What is known about records without a file beyond the names on disk.

    `stated` are those that the project lists as leftovers. `branches` are those whose file is on another branch, with
    its name. `explained` are those whose operations are in a file that is recorded too, or in a squash. `asked` are
    those that another finding asks about. `seen` says where a deleted file was last seen. `distinct` are (record,
    file) pairs that are two different migrations, as git shows.
    """

    stated: frozenset[Key] = frozenset()
    branches: Mapping[Key, str] = field(default_factory=dict)
    explained: frozenset[Key] = frozenset()
    asked: frozenset[Key] = frozenset()
    seen: Mapping[Key, str] = field(default_factory=dict)
    distinct: frozenset[tuple[Key, Key]] = frozenset()


NO_ORIGINS = Origins()


def find_origins(
    history: History,
    evidences: Mapping[str, Evidence],
    elsewhere: Mapping[Key, tuple[str, str]],
    asked: frozenset[Key],
) -> Origins:
    """The origins of the records of several apps, by what was found out about each app.

    `elsewhere` are records whose files are on another branch: the branch, and the file's operations digest.

    Where a file on disk that is not recorded anywhere has these operations, the record is not explained by the branch.
    """
    taken_over = {
        key
        for key, (_, digest) in elsewhere.items()
        if digest
        and any(
            history.migrations[Key(key.app, name)].digest == digest
            for name in history.names(key.app)
            if name not in evidences[key.app].recorded
        )
    }
    seen = {Key(app, name): source for app, found in evidences.items() for name, source in found.seen.items()}
    return Origins(
        branches={key: branch for key, (branch, _) in elsewhere.items() if key not in taken_over},
        explained=frozenset(Key(app, name) for app, found in evidences.items() for name, _ in found.gone),
        asked=asked,
        seen={**seen, **{key: f"the branch {elsewhere[key][0]}" for key in taken_over}},
        distinct=frozenset(
            (Key(app, old), Key(app, new)) for app, found in evidences.items() for old, new in found.distinct
        ),
    )
