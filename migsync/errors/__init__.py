"""Every error that migsync raises for a person to read.

* MigsyncError
  * UsageError ............ 64  the command line is wrong
  * ProjectError ..........  1  no project, or its settings cannot be used
    * SettingsError .......  1  the settings module does not import
  * HistoryError ..........  1  a migration file that cannot be read
  * RewriteError ..........  1  a rewrite file, or the set of them, is not valid
  * AgainstEvidence .......  1  evidence proves something else than what was stated
  * TargetError ...........  1  a database that cannot be used
    * UnknownAlias ........  1  no such alias in the project
    * UnknownEngine .......  1  a database engine that migsync does not know
    * Unreachable .........  1  no connection (host, password, permission to connect)
    * NotPermitted ........  1  connected, but not allowed to read or write a table
      * JournalNotPermitted   1  the same for the tables of migsync's journal
    * ReadOnly ............  1  a standby, or a server in read-only mode
  * PlanFileError .........  1  a plan file that cannot be used here
  * UnknownRun ............  1  no run, or more than one, matches what was given
  * FileDiffers ...........  1  a file to be written exists with different content
  * Blocked ...............  1  a plan that must not be applied, or a run that cannot be undone
  * UnexpectedResult ......  1  the database did something else than it was asked to; rolled back
  * Interrupted ...........  1  the user answered no or pressed Ctrl-C; nothing changed
  * NotBegun ..............  1  others failed before this database; nothing changed
  * WorkersUnusable .......  1  the project's Celery workers cannot be used; nothing changed
  * NotTaken ..............  1  no worker did the work for a database in time; nothing changed there
  * OtherFiles ............  1  a worker would make another plan; nothing changed there
  * NeedsConsent ..........  1  a confirmation is needed and nobody can give it; nothing changed
  * FilesRefused ..........  1  migration files that must not, or cannot, be changed; none was
  * StaleFiles ............  3  migration files changed since the command read them; migsync changed none
  * FilesLocked ...........  4  another migsync is changing the migration files
  * Unsettled .............  6  a change of files was interrupted and is not finished
  * StalePlan .............  3  the records changed since the plan was made
  * LockTimeout ...........  4  could not get a lock, or read the records, in time
  * PartlyDone ............  5  some databases are done, some are not
  * InDoubt ...............  6  it is not known whether a COMMIT succeeded
"""

from migsync.errors.base import (
    NOTHING_CHANGED,
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
    NotBegun,
    PartlyDone,
    PlanFileError,
    StalePlan,
    UnknownRun,
)
from migsync.errors.project import (
    AgainstEvidence,
    HistoryError,
    ProjectError,
    RewriteError,
    SettingsError,
    UsageError,
)
from migsync.errors.workers import NotTaken, OtherFiles, WorkersUnusable

__all__ = [
    "NOTHING_CHANGED",
    "AgainstEvidence",
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
    "NotBegun",
    "NotPermitted",
    "NotTaken",
    "OtherFiles",
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
    "WorkersUnusable",
    "common_status",
    "page_address",
]
