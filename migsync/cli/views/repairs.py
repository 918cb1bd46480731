"""The line that leads from what is wrong with records to ``migsync repair``."""

from __future__ import annotations

from collections.abc import Iterable

from migsync.cli.next_command import next_command
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.findings import Finding, verification
from migsync.findings import database_objects as objects

OF_RECORDS = frozenset(
    each.code
    for each in (
        objects.there_unrecorded,
        objects.records_lost,
        objects.recorded_not_there,
        objects.no_tables_there,
        objects.removed_unrecorded,
        verification.not_in_database,
        verification.there_already,
        verification.partly_there,
    )
)
"""About records that do not say what is in the tables."""


def repair_line(findings: Iterable[Finding], *apps: str) -> list[Block]:
    """What to use, if one of the findings is about records that do not say what is in the tables."""
    if not any(finding.code in OF_RECORDS for finding in findings):
        return []
    command = Span(next_command("repair", *apps), Style.COMMAND)
    return [EMPTY, line("To make the records say what is in the tables: ", command)]
