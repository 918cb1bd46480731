"""What the rewrites of another branch say about a file that only this branch has: which files of today it stands for.

A cherry-pick brings a file that depends on a squash, and neither the squash nor its rewrite.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path, PurePosixPath

from migsync.decoder import load_toml, utf8
from migsync.filesystem.git import GitError, repository_of
from migsync.history import History
from migsync.history.migration import Key
from migsync.rewrites.git import Repository
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_files import check_rewrite


def made_of(missing: Key, branch: str, directory: Path, history: History) -> tuple[tuple[Key, ...], ...]:
    """The files on disk that `missing` was made of, without those that others of them depend on, as one answer.

    `directory` is that of the rewrites. No answer where `branch` has no rewrite that made the file, or where one of the
    files that it was made of is not here with the same operations.
    """
    for rewrite in _rewrites_of(branch, directory):
        change = rewrite.apps.get(missing.app)
        for olds, news in change.collapsed if change else ():
            if missing.name in news and change:
                digests = [change.digests_before.get(old, "") for old in olds]
                found = [_with_operations(missing.app, digest, history) for digest in digests]
                keys = {key for key in found if key}
                inner = {up for key in keys for up in history.ancestors([key]) - {key}}
                return (tuple(sorted(keys - inner)),) if all(found) else ()
    return ()


def _rewrites_of(branch: str, directory: Path) -> Iterator[Rewrite]:
    """Those that a branch has; what cannot be read there is left out."""
    real = Path(os.path.realpath(directory))
    top = repository_of(real.parent)
    if top is None:
        return
    place = real.relative_to(top).as_posix()
    with closing(Repository(top)) as repository, suppress(GitError):
        for path, blob in repository.files(branch, [place]):
            if PurePosixPath(path).parent == PurePosixPath(place) and path.endswith(".toml"):
                with suppress(ValueError):
                    _, rewrite = Rewrite.stated(load_toml(utf8(repository.blob(blob) or b"")), path=path)
                    check_rewrite(rewrite)
                    yield rewrite


def _with_operations(app: str, digest: str, history: History) -> Key | None:
    """The one file of an app that has these operations."""
    files = [history.migrations[Key(app, name)] for name in history.names(app)]
    found = [file.key for file in files if digest and file.has(digest)]
    return found[0] if len(found) == 1 else None
