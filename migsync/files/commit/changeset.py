"""From a proposal's files to what every path holds before and after, and the order in which files are put in place."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from migsync.errors import NOTHING_CHANGED, FilesRefused, StaleFiles
from migsync.files.commit.record import Content, Slot, digest
from migsync.files.commit.syscalls import Files
from migsync.files.proposal import FileChange
from migsync.filesystem.boundary import PERMISSIONS


@dataclass(frozen=True)
class Changeset:
    """The slots of one commit, in the order to be put in place, with the bytes of each path before and after.

    New rewrite files come before the migration files, and old ones are removed after them. So whoever looks in between
    may see a rewrite whose names are not on disk yet, which migsync ignores, but never new names that no rewrite
    explains.
    """

    slots: tuple[Slot, ...]
    before: dict[str, bytes]
    after: dict[str, bytes]

    def missing_directories(self, root: Path) -> tuple[str, ...]:
        """The directories that must be made for it, parents first."""
        directories = {os.path.dirname(slot.path) for slot in self.slots if slot.after}  # noqa: PTH120 -- thousands
        parents = {parent for name in directories for parent in (root / name, *(root / name).parents)}
        missing = {parent for parent in parents if not parent.is_dir()}
        return tuple(os.path.relpath(path, root) for path in sorted(missing))


def changeset_of(root: Path, rewrites: Path, changes: Iterable[FileChange], files: Files) -> Changeset:
    """What `changes` come to, the files on disk being as each of them says.

    Raises StaleFiles when one is not, FilesRefused for one that must not be changed in this way, and ValueError for
    changes that contradict each other.
    """
    changes = list(changes)
    before = _by_path((change.old_path, change.old) for change in changes)
    after = _by_path((change.new_path, change.new) for change in changes)
    modes = {change.new_path: change.mode for change in changes}
    paths = sorted({*before, *after}, key=lambda path: (_turn(path, path in after, rewrites), path))
    _refuse_links(paths)
    _check_unchanged(root, paths, before, files)
    slots = [
        Slot(
            os.path.relpath(path, root),
            # The mode of now, which an undo restores. `mode` of a change is that of the file afterwards.
            Content.of(before[path], files.mode(path)) if path in before else None,
            Content.of(after[path], modes[path] & PERMISSIONS) if path in after else None,
        )
        for path in paths
    ]
    by_path = {path: slot.path for path, slot in zip(paths, slots, strict=True)}
    return Changeset(
        tuple(slots),
        {by_path[path]: content for path, content in before.items()},
        {by_path[path]: content for path, content in after.items()},
    )


def _by_path(contents: Iterable[tuple[Path | None, bytes | None]]) -> dict[Path, bytes]:
    found: dict[Path, bytes] = {}
    for path, content in contents:
        if (path is None) != (content is None) or path in found:
            raise ValueError(f"the changes of {path} contradict each other")
        if path is not None and content is not None:
            found[path] = content
    return found


def _turn(path: Path, stays: bool, rewrites: Path) -> int:
    # Rewrites that come are first, and those that go are last: see Changeset.
    if path.parent == rewrites:
        return 0 if stays else 3
    return 1 if stays else 2


def _refuse_links(paths: Iterable[Path]) -> None:
    links = [str(path) for path in paths if path.is_symlink()]
    if links:
        raise FilesRefused(
            "These files are symbolic links:\n" + "\n".join(f"  {path}" for path in links),
            f"Something else may use the files that they point to. {NOTHING_CHANGED}",
            "Replace each link by a copy of its file, then run the command again.",
        )


def _check_unchanged(root: Path, paths: Iterable[Path], before: dict[Path, bytes], files: Files) -> None:
    found = list(_differences(root, paths, before, files))
    if found:
        raise StaleFiles(
            "Files have changed since the command read them:\n" + "\n".join(f"  {line}" for line in found),
            NOTHING_CHANGED,
        )


def _differences(root: Path, paths: Iterable[Path], before: dict[Path, bytes], files: Files) -> Iterator[str]:
    for path in paths:
        held, name = files.read(path), os.path.relpath(path, root)
        if path not in before and files.exists(path):
            yield f"{name} is new"
        elif path in before and held is None:
            yield f"{name} was deleted"
        elif path in before and held is not None and digest(held) != digest(before[path]):
            yield f"{name} was edited"
