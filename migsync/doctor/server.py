"""What a database server says of the user, of the journal and of the storage of tables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from migsync.engines.driver_errors import TABLE
from migsync.errors import MigsyncError
from migsync.findings import Finding
from migsync.findings import access as entries
from migsync.sync.journal.tables import NEWEST
from migsync.sync.survey import Survey


def server_findings(survey: Survey, alias: str) -> Iterator[Finding]:
    """Privileges that are missing, an old journal, and tables without transactions. A replica needs none of them."""
    target = survey.targets[alias]
    if target.read_only:
        return
    version = survey.held[alias].version
    outdated = survey.project.journal and version not in ("", NEWEST)
    try:
        access = target.access()
    except MigsyncError:  # the catalog may not be read, and the records could be read all the same
        access = None
    user = target.survey.account
    if access and access.missing:
        yield entries.missing_privileges(rights=access.missing, grants=access.grants, user=user)
    # Who may not change records needs no journal.
    elif access and not access.creates and survey.project.journal and version != NEWEST:
        yield entries.no_journal_tables(grants=access.create_grants, user=user, outdated=outdated)
    elif outdated:
        yield entries.journal_outdated(version=version, newest=NEWEST)
    stored = access.without_transactions if access else ()
    for storage, tables in groupby(sorted(stored, key=lambda each: (each[1], each[0] != TABLE)), key=lambda it: it[1]):
        names = [name for name, _ in tables]
        yield entries.no_transactions(tables=names, storage=storage, records=TABLE in names)
