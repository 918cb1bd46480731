"""``migsync status`` as OpenMetrics text, for the textfile collector of the Prometheus node exporter.

The series are by entry, not by schema: a thousand tenants are as many series as three.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from migsync.cli.views.status_reports import STATES, StatusReport
from migsync.escapes import printable
from migsync.findings import Severity

if TYPE_CHECKING:
    from migsync.cli.views.status_reports import StateGroup

Samples = Iterable[tuple[Mapping[str, str], float]]


def openmetrics_text(report: StatusReport, now: datetime.datetime) -> str:
    """The metrics; `now` is the time of the look."""
    look: Samples = [({}, now.timestamp())]
    lines = [
        *_family("migsync_databases", "Databases by state.", _databases(report)),
        *_family("migsync_needed_changes", "Changes of records that migsync apply would make.", _changes(report)),
        *_family("migsync_databases_behind", "Databases that a rewrite was not applied to yet.", _behind(report)),
        *_family("migsync_project_findings", "Findings about the project as a whole.", _findings(report)),
        *_family("migsync_last_run_timestamp_seconds", "When the newest run of migsync was made.", _runs(report)),
        *_family("migsync_status_timestamp_seconds", "When migsync looked.", look),
        "# EOF",
    ]
    return "".join(f"{line}\n" for line in lines)


def _entries(report: StatusReport) -> list[tuple[str, list[StateGroup]]]:
    entries: dict[str, list[StateGroup]] = {}
    for group in report.groups:
        entries.setdefault(group.entry, []).append(group)
    return sorted(entries.items())


def _databases(report: StatusReport) -> Samples:
    for entry, groups in _entries(report):
        for state in STATES:
            labels = {"entry": entry, "state": state.replace(" ", "_")}
            yield labels, sum(len(group.aliases) for group in groups if group.state == state)


def _changes(report: StatusReport) -> Samples:
    for entry, groups in _entries(report):
        yield {"entry": entry}, sum(group.changes * len(group.aliases) for group in groups)


def _behind(report: StatusReport) -> Samples:
    for rewrite, groups in report.behind.items():
        for entry in sorted({group.entry for group in groups}):
            number = sum(len(group.aliases) for group in groups if group.entry == entry)
            yield {"entry": entry, "rewrite": rewrite}, number


def _runs(report: StatusReport) -> Samples:
    for entry, groups in _entries(report):
        aliases = (alias for group in groups for alias in group.aliases)
        if found := [report.last_runs[alias].at for alias in aliases if alias in report.last_runs]:
            yield {"entry": entry}, datetime.datetime.fromisoformat(max(found)).timestamp()


def _findings(report: StatusReport) -> Samples:
    for severity in Severity:
        yield {"severity": severity.value}, sum(each.severity is severity for each in report.findings)


def _family(name: str, help_text: str, samples: Samples) -> Iterator[str]:
    yield f"# TYPE {name} gauge"
    if name.endswith("_seconds"):
        yield f"# UNIT {name} seconds"
    yield f"# HELP {name} {help_text}"
    for labels, value in samples:
        text = ",".join(f'{label}="{_escaped(each)}"' for label, each in labels.items())
        # No exponent, and all digits of a time.
        yield f"{name}{f'{{{text}}}' if text else ''} {value if isinstance(value, int) else f'{value:.3f}'}"


def _escaped(value: str) -> str:
    return printable(value).replace("\\", "\\\\").replace('"', '\\"')
