"""The versions that one migration file has had in git, and which of them may have been the file at a given moment.

``applied`` says when a migration ran, and commits say when a version of its file was there. A server runs what was
committed before; a laptop may run a file hours before it is committed. Nothing else is concluded: where the history
does not reach back far enough, as in a shallow clone, no version fits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

DELETED = ""
"""The `blob` of a version that says: the file was deleted."""


class FileVersion(NamedTuple):
    """One commit that changed a file. The times are in seconds since 1970.

    `authored` is when the change was first made: an amended or rebased commit keeps it, and `committed` is later.
    `main` is true on the line of first parents of HEAD: a merge commit brings a branch's version to it at the time of
    the merge. `oldest` is true where a shallow clone begins, so that the version may have been there before.
    """

    blob: str
    committed: int
    authored: int
    main: bool = True
    oldest: bool = False


def fitting(versions: Sequence[FileVersion], earliest: float, latest: float) -> tuple[str, ...]:
    """The blobs of which one was the file at a moment between `earliest` and `latest`, likeliest first.

    `versions` have children before their parents. Empty where that is not known.
    """
    # A rebase commits many in one second: the child counts as the later one.
    parents_first = versions[::-1]
    ordered = sorted(parents_first, key=lambda each: each.committed)
    # Git keeps whole seconds: of a commit in the same second, nobody can say whether it was before.
    begin = math.floor(earliest)
    main = [each for each in ordered if each.main]
    before = [each for each in main if each.committed < begin]
    meanwhile = [each for each in main if begin <= each.committed <= latest]
    # A branch may be run before it is merged, and a commit before it is amended or rebased.
    beside = [each for each in ordered if not each.main and each.committed <= latest < _arrival(each, main)]
    redone = [each for each in ordered if each.authored <= latest < each.committed]
    found = [*before[-1:], *reversed(meanwhile), *reversed(beside), *reversed(redone)]
    return _blobs(found) or _blobs(_around(ordered, before, latest))


def _blobs(versions: Sequence[FileVersion]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.blob for each in versions if each.blob != DELETED))


def _around(ordered: Sequence[FileVersion], before: Sequence[FileVersion], latest: float) -> list[FileVersion]:
    """What may have been the file while git had none: the next one, not committed yet, or one that was deleted."""
    next_one = next((each for each in ordered if each.committed > latest and each.blob != DELETED), None)
    if next_one and next_one.oldest:
        return []
    last = next((each for each in reversed(before) if each.blob != DELETED), None)
    return [each for each in (last, next_one) if each]


def _arrival(version: FileVersion, main: Sequence[FileVersion]) -> float:
    """When the version of a branch came to the line of HEAD; never, where it was not merged."""
    later = (each.committed for each in main if each.blob == version.blob and each.committed >= version.committed)
    return next(later, math.inf)
