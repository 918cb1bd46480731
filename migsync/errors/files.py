"""About files that are written."""

from __future__ import annotations

from migsync.errors.base import ExitStatus, MigsyncError


class FileDiffers(MigsyncError):
    """A file to be written exists with other content.

    migsync overwrites only what it would write again byte for byte. Look at the file first.
    """

    code = "file-differs"
    default_hint = "Look at the file, then give another path, or --force to overwrite it."


class FilesRefused(MigsyncError):
    """The migration files must not, or cannot, be changed.

    They have changes that are not committed, are read-only, or are not this project's. No file was changed.
    """

    code = "files-refused"


class StaleFiles(MigsyncError):
    """The migration files changed while the command ran.

    The change was made from files that are now different. No file was changed; run the command again.
    """

    code = "stale-files"
    exit_status = ExitStatus.STALE
    default_hint = "Run the command again: it reads the files as they are now."


class FilesLocked(MigsyncError):
    """Another migsync is changing the migration files.

    Two commands that change files never work on one project at once. Nothing was changed.
    """

    code = "files-locked"
    exit_status = ExitStatus.LOCKED
    default_hint = "Wait until it has ended, then try again."


class Unsettled(MigsyncError):
    """A change of files was decided, and could not be finished.

    A part of the files may be in place. ``migsync recover`` finishes the change or takes it back, once the cause is
    gone.
    """

    code = "unsettled"
    exit_status = ExitStatus.IN_DOUBT
    default_hint = "Fix the cause, then run: migsync recover"
