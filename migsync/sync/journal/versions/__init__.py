"""The versions of the journal's tables, oldest first; each module upgrades from the one before it.

A released version is never edited: a change of the tables is a new module.
"""

from __future__ import annotations

from migsync.sync.journal.versions import v0001_runs, v0002_contents, v0003_looks

VERSIONS = (v0001_runs, v0002_contents, v0003_looks)
