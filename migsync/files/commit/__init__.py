"""Changes of files that are all or nothing, also under a kill, and in step with the databases.

A commit (:mod:`.transaction`) works out what each path holds before and after (:mod:`.changeset`), keeps a record of it
(:mod:`.record`) and copies of all files (:mod:`.archive`) in the state directory (:mod:`.store`), and stages the new
contents beside the old files (:mod:`.stage`). Then it is decided, in one step: by the first database that commits its
run (:mod:`.databases`), or by the record. Only after that the files are rolled forward. Killed before the decision, all
is rolled back; killed after it, the next command rolls forward (:mod:`.recovery`). :mod:`.undo` is a commit that puts
the copies back.

All calls on the file system go through :mod:`.syscalls`, so that a test can make each of them fail; :mod:`.lock` lets
one process at a time in; :mod:`.git` says which files git holds no copy of.
"""

from migsync.files.commit.databases import DatabaseResult, DatabaseStep, RunWasCommitted, journals_of
from migsync.files.commit.recovery import (
    Settlement,
    foreign_records,
    left_over,
    recover_files,
    remove_left_over,
    trust_records,
)
from migsync.files.commit.transaction import CommitResult, commit
from migsync.files.commit.undo import changes_back, commit_of, commits, undo_files
from migsync.files.state_directory import is_open

__all__ = [
    "CommitResult",
    "DatabaseResult",
    "DatabaseStep",
    "RunWasCommitted",
    "Settlement",
    "changes_back",
    "commit",
    "commit_of",
    "commits",
    "foreign_records",
    "is_open",
    "journals_of",
    "left_over",
    "recover_files",
    "remove_left_over",
    "trust_records",
    "undo_files",
]
