"""The directory ``.migsync`` in a project's root: the commit that is under way, and those that were made.

::

    .migsync/.gitignore             *
    .migsync/lock                   held while files are changed
    .migsync/open                   the commit under way, and its state: there is nothing to settle without this file
    .migsync/open.new               the same while it is written
    .migsync/commits/ID/record.json what it changes
    .migsync/commits/ID/files.tar   every file before and after
    .migsync/commits/ID/closed      the commit was made; without it, and not open, it was not

The directory may have come with a clone, or belong to somebody else. So everything in it goes through
:mod:`migsync.filesystem.boundary`, and only records with this user's seal (:mod:`migsync.filesystem.user_key`) are
acted upon.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from migsync.decoder import LONGEST_FILE
from migsync.errors import NOTHING_CHANGED, FilesRefused, Unsettled
from migsync.files.commit.archive import CORRUPT, held, pack, unpack
from migsync.files.commit.record import (
    CommitRecord,
    CommitState,
    OpenCommit,
    Slot,
    taken_apart,
    with_seal,
)
from migsync.files.commit.syscalls import Files
from migsync.files.state_directory import OPEN, STATE
from migsync.filesystem import boundary
from migsync.filesystem.user_key import is_sealed, missing_key, seal

KEPT = 20
"""How many commits are kept for an undo. One with contents that git does not hold is kept as well, however old."""

RECORD, ARCHIVE, CLOSED = "record.json", "files.tar", "closed"
NOT_USED = "migsync did not act on it and changed nothing."
KNOWN = (CLOSED, RECORD, f"{RECORD}.new", ARCHIVE)


@dataclass(frozen=True)
class StoredRecord:
    """A record that is sound, and whether it has this user's seal; `opened` for the one that is under way."""

    record: CommitRecord
    ours: bool
    opened: OpenCommit | None = None


@dataclass(frozen=True)
class Store:
    """The state directory of the project at `root`. Methods that write raise OSError."""

    root: Path
    files: Files = field(default_factory=Files)

    @property
    def directory(self) -> Path:
        """The state directory itself."""
        return self.root / STATE

    @property
    def open_file(self) -> Path:
        """The file that is there while a commit is under way."""
        return self.directory / OPEN

    @property
    def new_open_file(self) -> Path:
        """Where the next :attr:`open_file` is written."""
        return self.open_file.with_name(f"{OPEN}.new")

    @property
    def lock_file(self) -> Path:
        """The file to be locked."""
        return self.directory / "lock"

    def place(self, commit: str) -> Path:
        """The directory of one commit."""
        return self.directory / "commits" / commit

    def archive(self, commit: str) -> Path:
        """The file that holds every file of one commit before and after."""
        return self.place(commit) / ARCHIVE

    def prepare(self) -> None:
        """Make the state directory.

        Raises FilesRefused where the system has none of the locks and syncs that a commit stands on, and for a state
        directory that must not be written to.
        """
        try:
            boundary.refuse_foreign_state(self.directory)
        except ValueError as error:
            raise FilesRefused(*self._strange(error)) from error
        if sys.platform == "win32":
            hint = "Run the command on Linux, macOS or WSL, and commit the changed files there."
            raise FilesRefused("On Windows, migsync cannot change migration files.", NOTHING_CHANGED, hint)
        if not self.files.exists(self.directory / "commits"):
            self.files.make_directory(self.directory)
            self.files.make_directory(self.directory / "commits")
            self.files.sync([self.directory, self.root])

    def ignore(self) -> None:
        """Make git ignore the state directory. The caller holds the lock."""
        ignore = self.directory / ".gitignore"
        if not self.files.exists(ignore):
            # In one step: an empty file, left by a full disk, would be there for good, and ignore nothing.
            self._put(ignore.with_name(".gitignore.new"), ignore, b"*\n", 0o644)

    def begin(self, record: CommitRecord, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
        """Keep the record and all contents, by path; then open the commit: from here on it can be settled."""
        place = self.place(record.id)
        self.files.make_directory(place)
        kept = {self.archive(record.id): pack(record.slots, before, after), place / RECORD: self._sealed(record)}
        for path, content in kept.items():
            self.files.create(path, content, 0o600)
        self.files.sync([*kept, place, place.parent])
        # The last step: whoever finds the open file finds all that it needs on disk.
        self.set_state(OpenCommit(record.id, CommitState.STAGING))

    def set_state(self, opened: OpenCommit) -> None:
        """Write how far the commit is, in one step."""
        self._put(self.new_open_file, self.open_file, self._sealed(opened), 0o644)

    def refuse_foreign(self) -> None:
        """Raise Unsettled where something is under way that this user did not begin; before anything is locked."""
        try:
            boundary.refuse_foreign_state(self.directory)
        except ValueError as error:
            raise Unsettled(*self._strange(error)) from error
        try:
            content = self.files.read(self.open_file, LONGEST_FILE)
            if content is None or self._opened(content)[1]:
                return
        except ValueError as error:
            raise self.unusable(error) from error
        raise Unsettled(*self._not_ours())

    def opened(self) -> tuple[OpenCommit, CommitRecord] | None:
        """The commit that is under way; None without one.

        Raises Unsettled when that cannot be read, or was not made by this user.
        """
        self.refuse_foreign()
        try:
            found = self.found_open()
            if found is None or found.opened is None:
                return None
            boundary.refuse_links(self.root, found.record.places)
        except ValueError as error:
            raise self.unusable(error) from error
        # The open file has the seal, as was seen before; the record that it names needs one too.
        if not found.ours:
            raise Unsettled(*self._not_ours())
        return found.opened, found.record

    def found_open(self) -> StoredRecord | None:
        """The commit that the state directory says is under way, whoever made it; only to be looked at.

        None without one. Raises OSError, and ValueError for a document that is not sound.
        """
        content = self.files.read(self.open_file, LONGEST_FILE)
        if content is None:
            return None
        opened, ours = self._opened(content)
        found = self._found(opened.commit)
        # Rolling forward removes files beside these paths, and only the record's own places are checked for links.
        if not set(opened.aside) <= {slot.path for slot in found.record.slots}:
            raise ValueError("it names a file that the record does not")
        return StoredRecord(found.record, found.ours and ours, opened)

    def _opened(self, content: bytes) -> tuple[OpenCommit, bool]:
        """What the open file says, and whether it has this user's seal. Raises ValueError."""
        document, claimed = taken_apart(content)
        opened = OpenCommit.from_dict(document)
        return opened, is_sealed(self.root, opened.to_json(), claimed)

    def trust(self) -> None:
        """Give every sound record this user's seal. Raises OSError, ValueError."""
        found = self.found_open()
        for name in self._names():
            with suppress(ValueError):
                record = self._found(name).record
                place = self.place(name) / RECORD
                self._put(place.with_name(f"{RECORD}.new"), place, self._sealed(record), 0o600)
        if found and found.opened:
            self.set_state(found.opened)

    def close(self, opened: OpenCommit) -> None:
        """End a commit whose files are all in place. It is kept for an undo."""
        closed = self.place(opened.commit) / CLOSED
        self.files.remove(self.new_open_file)
        # One step from open to closed: a kill never leaves a commit that is both, or a finished one that is neither.
        self.files.replace(self.open_file, closed)
        self._sync_gone([self.directory, closed.parent])
        self._prune()

    def abandon(self, opened: OpenCommit) -> None:
        """End a commit that changed no file; nothing of it is kept."""
        self.files.remove(self.new_open_file)
        self.files.remove(self.open_file)
        # Without the open file nothing settles it any more. What cannot be removed now goes with the next prune.
        self._sync_gone([self.directory])
        with suppress(OSError):
            self._discard(opened.commit)

    def content(self, record: CommitRecord, slot: Slot, when: str) -> bytes:
        """What a slot's path held `when` BEFORE, or AFTER. Raises Unsettled when the archive does not hold it."""
        try:
            return unpack(self._packed(record), [slot], when)[0]
        except CORRUPT as error:
            raise Unsettled(
                f"The copy of {slot.path} {when} the change cannot be read from {self.archive(record.id)}: {error}.",
                "A change of migration files is not finished, and migsync needs this copy to finish it.",
                "Restore the migration files from git, then discard the unfinished change: "
                f"rm {_quoted(self.open_file)}",
            ) from error

    def contents(self, record: CommitRecord, when: str) -> dict[str, bytes]:
        """What the paths held `when` BEFORE, or AFTER, by path; a path without a file then is left out.

        Raises FilesRefused when the archive does not hold them.
        """
        slots = [slot for slot in record.slots if held(slot, when)]
        try:
            found = unpack(self._packed(record), slots, when)
        except (OSError, *CORRUPT) as error:
            raise FilesRefused(
                f"The copies of the files in {self.archive(record.id)} cannot be read: {error}.",
                "Without them, migsync cannot undo the change. Nothing was changed.",
                "Restore the files from git instead, for example with git revert.",
            ) from error
        return {slot.path: content for slot, content in zip(slots, found, strict=True)}

    def _packed(self, record: CommitRecord) -> bytes:
        return self.files.read(self.archive(record.id)) or b""

    def commits(self) -> Iterator[CommitRecord]:
        """The commits that this user made and that are kept, the newest first."""
        return iter([found.record for found in self.found() if found.ours])

    def found(self) -> list[StoredRecord]:
        """All sound records of commits that were made, the newest first, to be looked at.

        Raises FilesRefused for a state directory that must not be read.
        """
        try:
            boundary.refuse_foreign_state(self.directory)
        except ValueError as error:
            raise FilesRefused(*self._strange(error)) from error
        found = []
        for name in self._names():
            with suppress(OSError, ValueError):
                if self.files.exists(self.place(name) / CLOSED):
                    found.append(self._found(name))
        return sorted(found, key=lambda each: each.record.number, reverse=True)

    def _names(self) -> Iterator[str]:
        """The ids of the commits that have a directory; whatever else is there is not migsync's."""
        for name in self.files.names(self.directory / "commits"):
            with suppress(ValueError):
                yield boundary.hexadecimal_id(name)

    def _found(self, commit: str) -> StoredRecord:
        content = self.files.read(self.place(commit) / RECORD, LONGEST_FILE)
        if content is None:
            raise ValueError(f"there is no record of {commit}")
        document, claimed = taken_apart(content)
        record = CommitRecord.from_dict(document)
        if record.id != commit:
            raise ValueError(f"the record of {commit} is that of {record.id}")
        # The seal is compared with what was understood of the file, which is all that anybody acts upon, not with its
        # bytes.
        return StoredRecord(record, is_sealed(self.root, record.to_json(), claimed))

    def _sealed(self, document: CommitRecord | OpenCommit) -> bytes:
        content = document.to_json()
        return with_seal(content, seal(self.root, content, create=True))

    def _put(self, new: Path, path: Path, content: bytes, mode: int) -> None:
        self.files.create(new, content, mode)
        self.files.sync([new])
        self.files.replace(new, path)
        self.files.sync([path.parent])

    def _strange(self, error: ValueError) -> tuple[str, str, str]:
        """The words for a state directory that is not as migsync makes it."""
        return (
            f"{self.directory} contains something that migsync did not put there: {error}.",
            f"It may have come with the repository, or from another user. {NOT_USED}",
            "Compare the migration files with git. If they are as they should be, remove it: "
            f"rm -r {_quoted(self.directory)}",
        )

    def unusable(self, error: ValueError) -> Unsettled:
        """The error of a record that is under way and cannot be read."""
        return Unsettled(
            f"A change of migration files was interrupted, and its record cannot be read: {error}.",
            f"The record is in {self.open_file} and in {self.directory / 'commits'}. {NOT_USED}",
            "Compare the migration files with git. If they are as they should be, remove the record: "
            f"rm {_quoted(self.open_file)}",
        )

    def _not_ours(self) -> tuple[str, str, str]:
        missing = missing_key(self.root)
        perhaps = f"It may still be your own: {missing[0].lower()}{missing[1:]} " if missing else ""
        return (
            f"{self.open_file} says that a change of migration files was interrupted, but it does not have your seal.",
            "It came with the repository, or from another user, another machine or an older migsync. "
            f"{perhaps}{NOT_USED}",
            f"If you did not start this change: rm {_quoted(self.open_file)}\n"
            "If you did, look at it and settle it: migsync recover --trust",
        )

    def _sync_gone(self, directories: list[Path]) -> None:
        """Have it on disk that nothing is open. If a loss of power opens it again, settling it changes nothing."""
        with suppress(OSError):
            self.files.sync(directories)

    def _prune(self) -> None:
        """Forget this user's oldest commits, and what is left of those that were not made."""
        with suppress(OSError):
            made = list(self.commits())  # newest first; what another user made is left alone
            kept = {record.id for record in made[:KEPT]} | {record.id for record in made if record.unheld}
            for name in self._names():
                # Nothing is under way here, so a commit that is not closed was never made.
                ended = self.files.exists(self.place(name) / CLOSED)
                if name not in kept and (not ended or any(record.id == name for record in made)):
                    self._discard(name)

    def _discard(self, commit: str) -> None:
        """Remove one commit; first the file without which it was never made."""
        for name in KNOWN:
            self.files.remove(self.place(commit) / name)
        self.files.remove_directory(self.place(commit))


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
