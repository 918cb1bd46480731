"""How far each squash has come, in the files and in each database."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from migsync.findings import Finding
from migsync.findings.examination import open_transition
from migsync.history import Key
from migsync.refactor.tidy.squashes import Squash, open_squashes
from migsync.sync.survey import Survey

RECORDED = "recorded"
ALL_REPLACED = "all replaced migrations recorded"
PARTLY = "some replaced migrations recorded"
NOT_RUN = "not run"


def squash_findings(survey: Survey) -> Iterator[Finding]:
    """One for each squash that still says what it replaces."""
    for squash in open_squashes(survey.history, survey.history.first_party):
        stages = {
            alias: stage_of(squash, {record.key for record in records}) for alias, records in survey.records.items()
        }
        waiting = [alias for alias, stage in stages.items() if stage != RECORDED]
        yield open_transition(migration=squash.key, files=len(squash.files), waiting=waiting, stages=stages)


def stage_of(squash: Squash, recorded: Collection[Key]) -> str:
    """The stage of a squash in a database with these records."""
    if squash.key in recorded:
        return RECORDED
    number = sum(key in recorded for key in squash.replaced)
    return ALL_REPLACED if number == len(squash.replaced) else PARTLY if number else NOT_RUN
