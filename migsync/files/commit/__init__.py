"""Changes of files that are all or nothing, also under a kill, and in step with the databases."""

from migsync.files.commit.databases import DatabaseResult, DatabaseStep, RunWasCommitted, journals_of
from migsync.files.commit.recovery import (
    Settled,
    foreign_records,
    left_over,
    recover_files,
    remove_left_over,
    trust_records,
)
from migsync.files.commit.transaction import Committed, commit
from migsync.files.commit.undo import commit_of, commits, undo_files
from migsync.files.state_directory import is_open

__all__ = [
    "Committed",
    "DatabaseResult",
    "DatabaseStep",
    "RunWasCommitted",
    "Settled",
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
