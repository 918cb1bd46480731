"""The settings on which ``swappable_dependency`` depends, all of them."""

from __future__ import annotations

from collections.abc import Mapping

from migsync.errors import ProjectError
from migsync.history import SETTING, History
from migsync.project.process import project_set_up
from migsync.project.project import Project
from migsync.project.root import find_root


def missing_settings(project: Project, history: History) -> Mapping[str, str]:
    """What the migrations' swappable dependencies need and the settings module does not state.

    Django is started for them, only when there are any. Empty when it does not start: the history's findings name the
    dependencies that stay open.
    """
    wanted = {
        key.name
        for migration in history.migrations.values()
        for key in (*migration.dependencies, *migration.run_before)
        if key.app == SETTING
    }
    unknown = wanted - project.settings.keys()
    if not unknown or not project.settings_module or project.static:
        return {}
    try:
        from migsync.worker.model_settings import model_settings

        root = find_root(project.root, root=project.root, required=False)
        with project_set_up(root, project.settings_module):
            return model_settings(project.settings_module, root, unknown)
    except (ImportError, ProjectError):
        return {}
