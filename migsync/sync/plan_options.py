"""The options of a plan, from what a person asks and what the project has."""

from __future__ import annotations

from collections.abc import Collection

from migsync.errors import UsageError
from migsync.history import History
from migsync.history.unknown_app import unknown_app
from migsync.project import Project
from migsync.rewrites.evidence.origins import Origins
from migsync.rewrites.labels import Labels
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan_request import PlanRequest
from migsync.sync.planner import PlanOptions
from migsync.words import did_you_mean


def plan_options(
    request: PlanRequest, project: Project, history: History, rewrites: Rewrites, stated: Collection[str]
) -> PlanOptions:
    """The options of every plan; `stated` are the apps whose changes of names the request states.

    Raises UsageError for an app that the project does not have, and for a position that is none.
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
        dedupe=request.dedupe,
        trust_names=request.trust_names or not project.journal,
        backwards=request.backwards,
        against_evidence=request.against_evidence,
        origins=Origins(stated=project.leftovers),
        conflicts=True,
    )
