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
  * LockTimeout ...........  4  a lock, or the records, could not be got in time
  * PartlyDone ............  5  some targets done, some not
  * InDoubt ...............  6  it cannot be told now whether a COMMIT happened
"""

from migsync.errors.base import (
    ExitStatus,
    MigsyncError,
    common_status,
    page_address,
)
from migsync.errors.databases import (
    InDoubt,
    JournalNotPermitted,
    LockTimeout,
    NotPermitted,
    ReadOnly,
    TargetError,
    UnexpectedResult,
    UnknownAlias,
    UnknownEngine,
    Unreachable,
)
from migsync.errors.files import (
    FileDiffers,
    FilesLocked,
    FilesRefused,
    StaleFiles,
    Unsettled,
)
from migsync.errors.plans import (
    Blocked,
    Interrupted,
    NeedsConsent,
    PartlyDone,
    PlanFileError,
    StalePlan,
    UnknownRun,
)
from migsync.errors.project import (
    HistoryError,
    ProjectError,
    RewriteError,
    SettingsError,
    UsageError,
)

__all__ = [
    "Blocked",
    "ExitStatus",
    "FileDiffers",
    "FilesLocked",
    "FilesRefused",
    "HistoryError",
    "InDoubt",
    "Interrupted",
    "JournalNotPermitted",
    "LockTimeout",
    "MigsyncError",
    "NeedsConsent",
    "NotPermitted",
    "PartlyDone",
    "PlanFileError",
    "ProjectError",
    "ReadOnly",
    "RewriteError",
    "SettingsError",
    "StaleFiles",
    "StalePlan",
    "TargetError",
    "UnexpectedResult",
    "UnknownAlias",
    "UnknownEngine",
    "UnknownRun",
    "Unreachable",
    "Unsettled",
    "UsageError",
    "common_status",
    "page_address",
]
