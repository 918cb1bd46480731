"""Every error that migsync raises for a person to read.

* MigsyncError
  * UsageError ............ 64  the command line is wrong
  * ProjectError ..........  1  no project, or its settings cannot be used
    * SettingsError .......  1  the settings module does not import
  * HistoryError ..........  1  migration files that cannot be read as such
  * RewriteError ..........  1  a rewrite file, or the set of them, is not sound
  * TargetError ...........  1  a database that cannot be used
    * UnknownAlias ........  1  no such alias in the project
    * UnknownEngine .......  1  a database engine that migsync does not know
    * Unreachable .........  1  no connection (host, password, permission to connect)
    * NotPermitted ........  1  connected, but not allowed to read or write
      * JournalNotPermitted   1  the same for migsync's journal
    * ReadOnly ............  1  a standby, or a server in read-only mode
  * PlanFileError .........  1  a plan file that cannot be used here
  * UnknownRun ............  1  no run, or more than one, fits what was given
  * FileDiffers ...........  1  a file that would be written is there with other content
  * Blocked ...............  1  a plan that must not be applied, or a run that cannot be undone
  * UnexpectedResult ......  1  the database did not do what was asked; rolled back
  * Interrupted ...........  1  a person said no, or Ctrl-C; nothing changed
  * NeedsConsent ..........  1  a question must be asked and nobody can answer; nothing changed
  * FilesRefused ..........  1  migration files that must not, or cannot, be changed; none was
  * StaleFiles ............  3  migration files are not those that the change was made from; none was changed
  * FilesLocked ...........  4  another migsync is changing the migration files
  * Unsettled .............  6  a change of files that was decided, and could not be finished
  * StalePlan .............  3  the records are not those that the plan was made from
  * LockTimeout ...........  4  a lock was not had in time, or the records could not be read in time
  * PartlyDone ............  5  some targets done, some not
  * InDoubt ...............  6  it cannot be told now whether a COMMIT happened
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from migsync.redaction import redact_urls


class ExitStatus(IntEnum):
    """What the ``migsync`` process ends with; the README says what each one means to a script."""

    DONE = 0
    REFUSED = 1
    DIFFERENCES = 2
    STALE = 3
    LOCKED = 4
    PARTLY = 5
    IN_DOUBT = 6
    USAGE = 64


class MigsyncError(Exception):
    """A condition that a person can act on.

    `found` says what was found, `meaning` what that means, `hint` what to do next; the class gives a default hint.
    """

    code = "error"
    exit_status = ExitStatus.REFUSED
    default_hint = ""

    def __init__(self, found: str, meaning: str = "", hint: str | None = None) -> None:
        # A person may type a URL where a name or a file is expected, and the message quotes it.
        self.found, self.meaning = redact_urls(found), redact_urls(meaning)
        self.hint = self.default_hint if hint is None else redact_urls(hint)
        super().__init__(self.found)

    def __str__(self) -> str:
        return "\n".join(part for part in (self.found, self.meaning, self.hint) if part)


class UsageError(MigsyncError):
    """The command line is wrong."""

    code = "usage"
    exit_status = ExitStatus.USAGE


class ProjectError(MigsyncError):
    """No project was found, or it cannot be used."""

    code = "project"
    default_hint = "Run migsync in a Django project (where manage.py is), or give --root and --settings."


class SettingsError(ProjectError):
    """The settings module does not import."""

    code = "settings"
    default_hint = "Mend the settings, or work without them: [tool.migsync.databases.NAME] in pyproject.toml, or --url."


class HistoryError(MigsyncError):
    """A migration file that cannot be read as one."""

    code = "history"


class RewriteError(MigsyncError):
    """A rewrite file, or the set of them, is not sound."""

    code = "rewrite"


class TargetError(MigsyncError):
    """A database that cannot be used."""

    code = "target"


class UnknownAlias(TargetError):
    """No such alias in the project."""

    code = "unknown-alias"


class UnknownEngine(TargetError):
    """A database engine that migsync does not know."""

    code = "unknown-engine"
    default_hint = "migsync works on PostgreSQL, MySQL, MariaDB and SQLite."


class Unreachable(TargetError):
    """No connection could be made."""

    code = "unreachable"


class NotPermitted(TargetError):
    """Connected, but not allowed to read or write what is needed.

    `right` is the privilege that is missing (``SELECT``, ``INSERT``, ``CREATE``), empty where that is not known.
    """

    code = "not-permitted"

    def __init__(self, found: str, meaning: str = "", hint: str | None = None, *, right: str = "") -> None:
        super().__init__(found, meaning, hint)
        self.right = right


class JournalNotPermitted(NotPermitted):
    """Not allowed to read or write migsync's journal.

    `seen` is False where the database does not even say whether there is a journal.
    """

    def __init__(self, found: str, meaning: str = "", hint: str | None = None, *, right: str, seen: bool) -> None:
        super().__init__(found, meaning, hint, right=right)
        self.seen = seen


class ReadOnly(TargetError):
    """A standby, or a server in read-only mode."""

    code = "read-only"
    default_hint = "Apply on the primary; what it commits reaches a standby by replication."


class PlanFileError(MigsyncError):
    """A plan file that is corrupt, of another format version, or for another database."""

    code = "plan-file"
    default_hint = "Make it again with: migsync plan -o FILE"


class UnknownRun(MigsyncError):
    """No run, or more than one, fits what was given."""

    code = "unknown-run"
    default_hint = "See them all: migsync log"


class FileDiffers(MigsyncError):
    """A file that would be written is there already, with other content."""

    code = "file-differs"
    default_hint = "Look at it, then give another place, or --force."


class Blocked(MigsyncError):
    """A plan that must not be applied, or a run that cannot be undone; its findings say why."""

    code = "blocked"


class UnexpectedResult(MigsyncError):
    """The database did not do what was asked of it; everything was rolled back."""

    code = "unexpected-result"


class Interrupted(MigsyncError):
    """A person said no, or pressed Ctrl-C; nothing was changed."""

    code = "interrupted"


class NeedsConsent(MigsyncError):
    """A question would have to be asked, and there is nobody to answer it; nothing was changed."""

    code = "needs-consent"
    default_hint = "Look at it with --dry-run, then add --noinput."


class FilesRefused(MigsyncError):
    """Migration files that must not be changed (uncommitted), or cannot be (read-only); none was changed."""

    code = "files-refused"


class StaleFiles(MigsyncError):
    """Migration files are not those that the change was made from; none was changed."""

    code = "stale-files"
    exit_status = ExitStatus.STALE
    default_hint = "Run the command again: it reads the files as they are now."


class FilesLocked(MigsyncError):
    """Another migsync is changing the migration files of this project."""

    code = "files-locked"
    exit_status = ExitStatus.LOCKED
    default_hint = "Wait until it is done, then try again."


class Unsettled(MigsyncError):
    """A change of migration files that was decided, and could not be finished or taken back yet."""

    code = "unsettled"
    exit_status = ExitStatus.IN_DOUBT
    default_hint = "Mend the cause, then run: migsync recover"


class StalePlan(MigsyncError):
    """The records are not those that the plan was made from."""

    code = "stale-plan"
    exit_status = ExitStatus.STALE
    default_hint = "Make the plan again with: migsync plan"


class LockTimeout(MigsyncError):
    """A lock in the database was not had in time, or the records could not be read in time."""

    code = "lock-timeout"
    exit_status = ExitStatus.LOCKED
    default_hint = (
        "Somebody else is writing to it (a migrate, or another migsync). "
        "Try again, or wait longer: --lock-timeout SECONDS"
    )


class PartlyDone(MigsyncError):
    """Some targets are done and some are not."""

    code = "partly-done"
    exit_status = ExitStatus.PARTLY


class InDoubt(MigsyncError):
    """It cannot be told now whether a COMMIT happened; `interrupted` where Ctrl-C is the reason, or came meanwhile."""

    code = "in-doubt"
    exit_status = ExitStatus.IN_DOUBT
    default_hint = "When the database answers again, run: migsync recover"

    def __init__(self, found: str, meaning: str = "", hint: str | None = None, *, interrupted: bool = False) -> None:
        super().__init__(found, meaning, hint)
        self.interrupted = interrupted


def common_status(errors: Iterable[MigsyncError]) -> ExitStatus:
    """The exit status that the errors of several databases share; REFUSED where they differ, DONE without any."""
    statuses = {error.exit_status for error in errors} or {ExitStatus.DONE}
    return statuses.pop() if len(statuses) == 1 else ExitStatus.REFUSED
