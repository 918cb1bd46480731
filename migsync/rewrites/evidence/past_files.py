"""The files that one app has had in git."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from migsync.rewrites.file_state import FileState
from migsync.rewrites.git import GitHistory


@dataclass(frozen=True)
class PastFiles:
    """What git holds of one app's files; each is only asked for where it is needed.

    `states` are the files in the commits that HEAD comes from, and `abandoned` in those that only the reflog knows,
    both newest first. `line` gives the names of the files on the branch itself, newest first.
    """

    states: Callable[[], Iterable[FileState]] = tuple
    abandoned: Callable[[], Iterable[FileState]] = tuple
    line: Callable[[], Iterable[AbstractSet[str]]] = tuple

    @classmethod
    def of(cls, git: GitHistory, app: str) -> PastFiles:
        """Those of `app`."""
        return cls(lambda: git.of(app), lambda: git.abandoned(app), lambda: git.line(app))


NO_PAST = PastFiles()
