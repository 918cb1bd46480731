"""Files of a commit, written into a directory, so that they are read like those on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from migsync.rewrites.git import Repository


def write_commit(
    top: Path, commit: str, into: Path, places: Sequence[str], wanted: Callable[[str], bool] = lambda _: True
) -> None:
    """Write the files below `places` of a commit under `into`, with their paths in the repository.

    Only those that are `wanted` by their path; no links and no submodules. Raises GitError.
    """
    with closing(Repository(top)) as repository:
        for path, blob in repository.files(commit, places):
            if wanted(path) and (content := repository.blob(blob)) is not None:
                target = into / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
