"""The directory ``.migsync`` in a project's root: the commit that is under way, and those that were made.

::

    .migsync/.gitignore             *
    .migsync/lock                   held while files are changed
    .migsync/open                   the commit under way, and its state: there is nothing to settle without this file
    .migsync/commits/ID/record.json what it changes
    .migsync/commits/ID/files.tar   every file before and after
    .migsync/commits/ID/closed      the commit was made; without it, and not open, it was not
"""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from migsync.companion.commit.files import Files
from migsync.companion.commit.record import Open, Record, Slot, State
from migsync.companion.under_way import OPEN, STATE
from migsync.errors import FilesRefused, Unsettled

KEPT = 20
"""How many commits are kept for an undo. One with contents that git does not hold is kept as well, however old."""

BEFORE, AFTER = "before", "after"


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
    def lock_file(self) -> Path:
        """The file to be locked."""
        return self.directory / "lock"

    def place(self, commit: str) -> Path:
        """The directory of one commit."""
        return self.directory / "commits" / commit

    def archive(self, commit: str) -> Path:
        """The file that holds every file of one commit before and after."""
        return self.place(commit) / "files.tar"

    def prepare(self) -> None:
        """Make the state directory, which git is told to leave alone.

        Raises FilesRefused where the system has none of the locks and syncs that a commit stands on.
        """
        if sys.platform == "win32":
            raise FilesRefused("Migration files can be changed on Linux and macOS only.", "Nothing was changed.")
        ignore = self.directory / ".gitignore"
        if not self.files.exists(ignore):
            self.files.make_directory(self.directory)
            self.files.make_directory(self.directory / "commits")
            self.files.create(ignore, b"*\n", 0o644)
            self.files.sync([ignore, self.directory, self.root])

    def begin(self, record: Record, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
        """Keep the record and all contents, by path; then open the commit: from here on it can be settled."""
        place = self.place(record.id)
        self.files.make_directory(place)
        kept = {self.archive(record.id): _tar(record, before, after), place / "record.json": record.to_json()}
        for path, content in kept.items():
            self.files.create(path, content, 0o600)
        self.files.sync([*kept, place, place.parent])
        self.set_state(Open(record.id, State.STAGING))

    def set_state(self, opened: Open) -> None:
        """Write how far the commit is, in one step."""
        new = self.open_file.with_name("open.new")
        self.files.create(new, opened.to_json(), 0o644)
        self.files.sync([new])
        self.files.replace(new, self.open_file)
        self.files.sync([self.directory])

    def opened(self) -> tuple[Open, Record] | None:
        """The commit that is under way; None without one. Raises Unsettled when that cannot be read."""
        content = self.files.read(self.open_file)
        if content is None:
            return None
        try:
            opened = Open.from_json(content)
            return opened, self._record(opened.commit)
        except (KeyError, TypeError, ValueError) as error:
            raise Unsettled(
                f"A change of migration files is under way, and its record cannot be read: {error}.",
                f"It was in {self.open_file} and in {self.directory / 'commits'}.",
                f"Compare the migration files with git; when they are as they should be, remove {self.open_file}.",
            ) from error

    def close(self, opened: Open) -> None:
        """The commit was made. It is kept for an undo."""
        closed = self.place(opened.commit) / "closed"
        self.files.replace(self.open_file, closed)
        self._sync_gone([self.directory, closed.parent])
        self._prune()

    def abandon(self, opened: Open) -> None:
        """The commit was not made; nothing of it is kept."""
        self.files.remove(self.open_file)
        self._sync_gone([self.directory])
        with suppress(OSError):
            self._discard(opened.commit)

    def content(self, record: Record, slot: Slot, when: str) -> bytes:
        """What a slot's path held `when` BEFORE, or AFTER. Raises Unsettled when the archive does not hold it."""
        try:
            return self._read_archive(record, [_member(slot, when)])[0]
        except (KeyError, tarfile.TarError) as error:
            raise Unsettled(
                f"{self.archive(record.id)} does not hold {slot.path} as it was {when} the change: {error}."
            ) from error

    def contents(self, record: Record, when: str) -> dict[str, bytes]:
        """All of them, by path. Raises FilesRefused when the archive does not hold them."""
        slots = [slot for slot in record.slots if (slot.before if when == BEFORE else slot.after)]
        try:
            found = self._read_archive(record, [_member(slot, when) for slot in slots])
        except (OSError, KeyError, tarfile.TarError) as error:
            raise FilesRefused(
                f"{self.archive(record.id)}, which holds the copies, cannot be read: {error}.", "Nothing was changed."
            ) from error
        return {slot.path: content for slot, content in zip(slots, found, strict=True)}

    def commits(self) -> Iterator[Record]:
        """The commits that were made and are kept, the newest first."""
        found = []
        for name in self.files.names(self.directory / "commits"):
            with suppress(OSError, KeyError, TypeError, ValueError):
                if self.files.exists(self.place(name) / "closed"):
                    found.append(self._record(name))
        return iter(sorted(found, key=lambda record: record.number, reverse=True))

    def _record(self, commit: str) -> Record:
        return Record.from_json(self.files.read(self.place(commit) / "record.json") or b"")

    def _read_archive(self, record: Record, members: Sequence[str]) -> list[bytes]:
        packed = self.files.read(self.archive(record.id))
        with tarfile.open(fileobj=io.BytesIO(packed or b"")) as archive:
            found = {member.name: member for member in archive}
            return [file.read() for member in members if (file := archive.extractfile(found[member]))]

    def _sync_gone(self, directories: list[Path]) -> None:
        """Have it on disk that nothing is open. If a loss of power opens it again, settling it changes nothing."""
        with suppress(OSError):
            self.files.sync(directories)

    def _prune(self) -> None:
        """Forget the oldest commits, and what is left of those that were not made."""
        with suppress(OSError):
            made = list(self.commits())
            kept = {record.id for record in made[:KEPT]} | {record.id for record in made if record.unheld}
            for name in self.files.names(self.directory / "commits"):
                if name not in kept:
                    self._discard(name)

    def _discard(self, commit: str) -> None:
        """Remove one commit; first the file without which it was never made."""
        place = self.place(commit)
        self.files.remove(place / "closed")
        for name in self.files.names(place):
            self.files.remove(place / name)
        self.files.remove_directory(place)


def _member(slot: Slot, when: str) -> str:
    return f"{when}/{slot.path}"


def _tar(record: Record, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for slot in record.slots:
            for when, content, contents in ((BEFORE, slot.before, before), (AFTER, slot.after, after)):
                if content:
                    member = tarfile.TarInfo(_member(slot, when))
                    member.size, member.mode = len(contents[slot.path]), content.mode
                    archive.addfile(member, io.BytesIO(contents[slot.path]))
    return packed.getvalue()
