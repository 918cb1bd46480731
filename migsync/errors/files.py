"""About files that are written."""

from __future__ import annotations

from migsync.errors.base import ExitStatus, MigsyncError


class FileDiffers(MigsyncError):
    """A file to be written already exists with different content.

    migsync does not overwrite a file that it would not write again byte for byte. Nothing was written. Look at the
    file; then give another path, or overwrite it with ``--force``.
    """

    code = "file-differs"
    default_hint = "Look at the file; then give another path, or add --force to overwrite it."


class FilesRefused(MigsyncError):
    """The migration files must not, or cannot, be changed.

    They have uncommitted changes, are symbolic links, cannot be written to, or lie outside the project. No file was
    changed. The message says what to do, for example to commit your changes first.
    """

    code = "files-refused"


class StaleFiles(MigsyncError):
    """The migration files changed in the meantime.

    Somebody edited, added or removed a file after the command had read it, or after the change that is to be undone was
    made. migsync changed no file. If you ran a command that changes files, run it again. If you ran
    ``migsync undo --files``, undo your own changes first.
    """

    code = "stale-files"
    exit_status = ExitStatus.STALE
    default_hint = "Run the command again. It reads the files as they are now."


class FilesLocked(MigsyncError):
    """Another migsync is changing the migration files.

    Only one command at a time may change the files of a project. Nothing was changed. Wait until the other command has
    ended, then run yours again.
    """

    code = "files-locked"
    exit_status = ExitStatus.LOCKED
    default_hint = "Wait until it has ended, then run the command again."


class Unsettled(MigsyncError):
    """A change of migration files was interrupted and is not finished.

    Some files may be in place and others not. Copies of all of them are kept in ``.migsync``. Fix the cause that the
    message names, then run ``migsync recover``: it finishes the change or reverts it.
    """

    code = "unsettled"
    exit_status = ExitStatus.IN_DOUBT
    default_hint = "Fix the cause, then run: migsync recover"
