"""``migsync`` without a command: what the project is, if this is one."""

from __future__ import annotations

import os

from migsync.cli.completion import remember
from migsync.cli.output import Output
from migsync.cli.recovery import settle_files


def show_overview(output: Output) -> bool:
    """Show the project that the current directory is in, and say what to do next; False where there is none.

    Nothing is changed. Raises a MigsyncError for a project that cannot be read.
    """
    from migsync.project.root import find_root, usual_start
    from migsync.worker.runtime import SETTINGS_VARIABLE

    place = find_root(usual_start(), required=False)
    if not (place.manage or place.options.file or os.environ.get(SETTINGS_VARIABLE)):
        return False
    from migsync.cli.views.overviews import overview_blocks
    from migsync.project import find_project
    from migsync.sync.plan_request import PlanRequest
    from migsync.sync.survey import survey

    project = find_project(files_only=True)
    remember(project)
    settle_files(output, project, dry_run=True)
    with survey(project, PlanRequest(), needs_database=False) as found:
        output.show(overview_blocks(found, new=not place.options.file, shorten=output.shorten))
    return True
