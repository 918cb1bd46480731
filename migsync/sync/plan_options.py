"""The options of a plan, from what a person asks and what the project has."""

from __future__ import annotations

from collections.abc import Collection

from migsync.errors import UsageError
from migsync.history import History
from migsync.history.migration import Key
from migsync.history.unknown_app import unknown_app
from migsync.project import Project
from migsync.rewrites.evidence.origins import Origins
from migsync.rewrites.labels import Labels
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan_request import PlanRequest
from migsync.sync.planner import PlanOptions
from migsync.sync.stated_records import StatedRecords
from migsync.words import did_you_mean


def plan_options(
    request: PlanRequest, project: Project, history: History, rewrites: Rewrites, stated: Collection[str]
) -> PlanOptions:
    """The options of every plan; `stated` are the apps whose changes of names the request states.

    Raises UsageError for an app or a migration that the project does not have, and for a position that is none.
    """
    if unknown := set(request.apps) - history.synced:
        today = Labels(rewrites).today(min(unknown))
        renamed = today in history.first_party
        raise unknown_app(min(unknown), history, f"Its label is {today} now." if renamed else "")
    positions = {}
    for text in request.positions:
        app, equals, rewrite = text.partition("=")
        if not equals or not (rewrites.of_app(app) or app in stated):
            raise UsageError(
                f"--position {text}: {f'no rewrite changes an app {app}' if equals else 'it has no ='}.",
                did_you_mean(app, {app for each in rewrites.ordered for app in each.apps}) if equals else "",
                "Write it as APP=REWRITE. REWRITE is `none`, or the file name or id of a rewrite that changes APP.",
            )
        positions[app] = rewrite
    return PlanOptions(
        apps=frozenset(request.apps) or None,
        positions=positions,
        prune=request.prune,
        stated=StatedRecords(
            tuple(_recordable(text, "--record", request, history) for text in request.record),
            tuple(_recordable(text, "--unrecord", request, history) for text in request.unrecord),
        ),
        dedupe=request.dedupe,
        trust_names=request.trust_names or not project.journal,
        backwards=request.backwards,
        against_evidence=request.against_evidence,
        origins=Origins(stated=project.leftovers),
        conflicts=True,
    )


def _recordable(text: str, option: str, request: PlanRequest, history: History) -> Key:
    """The migration of the project that `text` names."""
    app, dot, name = text.partition(".")
    key = Key(app, name)
    if not dot or not name:
        raise UsageError(f"{option} {text}: this is not a migration.", "", "Write it as APP.NAME.")
    if app not in history.first_party:
        raise unknown_app(app, history)
    if key not in history.migrations:
        listed = f"To remove a record without a file: migsync plan --prune {text}" if option == "--unrecord" else ""
        near = did_you_mean(name, history.names(app))
        raise UsageError(f"{option} {text}: {app} has no migration file of this name.", near, listed)
    if request.apps and app not in request.apps:
        raise UsageError(f"{option} {text}: --app leaves out {app}.", "", f"Add --app {app}, or leave out --app.")
    if text in request.record and text in request.unrecord:
        raise UsageError(f"{text} cannot be recorded and unrecorded at once.", "", "Leave out one of the two.")
    return key
