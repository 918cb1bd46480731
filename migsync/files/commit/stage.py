"""Staging the new contents, and rolling them forward or back. Each can be stopped anywhere and begun again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from migsync.errors import Unsettled
from migsync.files.commit.archive import AFTER
from migsync.files.commit.record import CommitRecord, OpenCommit, Slot, digest
from migsync.files.commit.store import Store
from migsync.files.commit.syscalls import Files

ASIDE = ".migsync-new"
"""The suffix of a copy that holds migsync's version, where somebody else has edited the file itself."""

PROBE = ".migsync-probe"


def stage(store: Store, record: CommitRecord, after: Mapping[str, bytes]) -> None:
    """Write every new content beside its place, and find out that every directory can be written to."""
    root, files = store.root, store.files
    for directory in record.directories:
        files.make_directory(root / directory)
    staged = []
    for slot in record.slots:
        if slot.after:
            staged.append(root / record.staged[slot.path])
            files.create(staged[-1], after[slot.path], slot.after.mode)
    # A directory out of which files only go has nothing staged, and may be one that cannot be written to.
    for probed in sorted(_packages(root, record) - {path.parent for path in staged}):
        files.create(probed / PROBE, b"", 0o600)
        files.remove(probed / PROBE)
    files.sync([*staged, *_directories(root, record)])


def roll_back(store: Store, opened: OpenCommit, record: CommitRecord) -> None:
    """Take away what was staged. No file was changed yet."""
    root, files = store.root, store.files
    for slot in record.slots:
        files.remove(root / record.staged[slot.path])
        # The probe is left where a kill came between the two calls that make it and remove it.
        files.remove((root / slot.path).with_name(PROBE))
    for directory in reversed(record.directories):
        files.remove_directory(root / directory)
    store.abandon(opened)


def roll_forward(store: Store, opened: OpenCommit, record: CommitRecord) -> None:
    """Put every new content in place, and close the commit.

    Raises Unsettled where somebody else has changed a file meanwhile: that file stays as it is, and the new content is
    put beside it. The commit stays open until a person has merged the two.
    """
    root, files = store.root, store.files
    opened = _keep_aside(store, opened, record)
    for slot in record.slots:
        # After a kill this begins anew. So a slot may be in place already, its content may still wait, or the staged
        # file may be gone or cut short.
        path, staged = root / slot.path, root / record.staged[slot.path]
        if _is_strange(files, path, slot):
            # Every file was looked at before; this one was saved since then. One that was put aside has been decided by
            # a person, and stays.
            if slot.path not in opened.aside:
                raise _changed_now(path)
            files.remove(staged)
        elif slot.after is None:
            files.remove(path)
        elif _held(files, staged) == slot.after.digest:
            files.replace(staged, path)
        elif _held(files, path) != slot.after.digest:
            _stage_again(store, record, slot)
            files.replace(staged, path)
        else:
            files.remove(staged)
    # What is still here lies beside a file that the person has put back to one of the two known contents.
    for aside in opened.aside:
        files.remove(_aside(root / aside))
    _drop_bytecode(root, files, record)
    files.sync(_directories(root, record))
    for directory in record.emptied:
        files.remove_directory(root / directory)
    store.close(opened)


def _keep_aside(store: Store, opened: OpenCommit, record: CommitRecord) -> OpenCommit:
    """Look at every file before the first is changed; raises Unsettled where one is neither as before nor as after.

    Where the content that was kept aside is gone again, a person has chosen what is in place.
    """
    root, files = store.root, store.files
    strange = [slot for slot in record.slots if _is_strange(files, root / slot.path, slot)]
    unresolved = [slot for slot in strange if slot.path not in opened.aside or files.exists(_aside(root / slot.path))]
    if not unresolved:
        return opened
    # The copies are on disk before the state names them: a copy that is named and missing means that a person has
    # chosen.
    for slot in unresolved:
        if slot.after:
            content = store.content(record, slot, AFTER)
            files.create(_aside(root / slot.path), content, slot.after.mode)
            files.sync([_aside(root / slot.path)])
    aside = {slot.path for slot in unresolved if slot.after}
    opened = replace(opened, aside=tuple(sorted({*opened.aside, *aside})))
    store.set_state(opened)
    raise _changed_meanwhile(root, unresolved)


def _changed_meanwhile(root: Path, slots: list[Slot]) -> Unsettled:
    lines = []
    for slot in slots:
        if slot.after:
            lines.append(f"  {slot.path}: migsync's version is in {_aside(root / slot.path).name}")
        else:
            lines.append(f"  {slot.path}: migsync wants to delete it")
    merge = f"Merge migsync's version into each file, and delete the copy whose name ends with {ASIDE}."
    delete = "Delete the files that migsync wants to delete."
    return Unsettled(
        "Another program or person edited these files while migsync was changing them:\n" + "\n".join(lines),
        "migsync left them as they are. The change of the other files continues when these are settled.",
        "\n".join(
            [
                *([merge] if any(slot.after for slot in slots) else []),
                *([delete] if any(not slot.after for slot in slots) else []),
                "Then run: migsync recover",
            ]
        ),
    )


def _changed_now(path: Path) -> Unsettled:
    return Unsettled(
        f"Another program or person edited {path} while migsync was changing the files.",
        "migsync left it as it is. The change of the files is not finished.",
        "Run: migsync recover",
    )


def _is_strange(files: Files, path: Path, slot: Slot) -> bool:
    """Whether the path holds neither what it did before nor what it is to hold."""
    held = _held(files, path)
    return held not in (slot.before and slot.before.digest, slot.after and slot.after.digest)


def _held(files: Files, path: Path) -> str | None:
    content = files.read(path)
    return None if content is None else digest(content)


def _stage_again(store: Store, record: CommitRecord, slot: Slot) -> None:
    """The staged file is gone or damaged (git clean, a machine that lost its power): write it from the archive."""
    if slot.after:
        staged = store.root / record.staged[slot.path]
        store.files.make_directory(staged.parent)
        store.files.create(staged, store.content(record, slot, AFTER), slot.after.mode)
        store.files.sync([staged])


def _aside(path: Path) -> Path:
    return path.with_name(path.name + ASIDE)


def _packages(root: Path, record: CommitRecord) -> set[Path]:
    """The directories of all slots, by their text: thousands of paths take long to make and to compare."""
    return {root / directory for directory in {slot.path.rpartition("/")[0] for slot in record.slots}}


def _directories(root: Path, record: CommitRecord) -> list[Path]:
    found = _packages(root, record)
    found |= {(root / directory).parent for directory in (*record.directories, *record.emptied)}
    return sorted(directory for directory in found if directory.is_dir())


def _drop_bytecode(root: Path, files: Files, record: CommitRecord) -> None:
    """Python tells a stale ``.pyc`` by its source's second and size; two that swap names may share both."""
    stems: dict[str, set[str]] = {}
    for slot in record.slots:
        directory, _, name = slot.path.rpartition("/")
        if name.endswith(".py"):
            stems.setdefault(directory, set()).add(name.removesuffix(".py"))
    for directory in sorted(stems):
        cache = root / directory / "__pycache__"
        for name in files.names(cache):
            if name.partition(".")[0] in stems[directory]:
                files.remove(cache / name)
