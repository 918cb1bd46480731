"""The project's Celery app, imported into migsync's own process: it knows the broker, and how tasks are routed."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from migsync.errors import NOTHING_CHANGED, WorkersUnusable
from migsync.project.environment import project_set_up
from migsync.project.project import Project
from migsync.project.root import Root, find_root
from migsync.redaction import redact

VARIABLE = "CELERY_APP"
EXAMPLE = 'In pyproject.toml, under [tool.migsync]: celery = "mysite.celery:app"'


@contextlib.contextmanager
def celery_app(project: Project) -> Iterator[Any]:
    """The app, with the project importable meanwhile: an app reads settings and finds routers when they are needed.

    It is what ``celery`` in ``[tool.migsync]`` names, else ``CELERY_APP``, else what ``celery -A`` finds in the package
    of the settings module. Raises WorkersUnusable.
    """
    if importlib.util.find_spec("celery") is None:
        raise WorkersUnusable(
            "Celery is not installed here.",
            f"--workers celery sends tasks through the project's Celery app. {NOTHING_CHANGED}",
            "python -m pip install 'migsync[celery]'",
        )
    root = find_root(project.root, root=project.root)
    with project_set_up(root, project.settings_module):
        # Without settings too: whoever asks for workers wants this one module of the project.
        sys.path[:] = root.runtime(project.settings_module).import_path(sys.path)
        yield _imported(app_name(root, project.settings_module, os.environ))


def app_name(root: Root, settings_module: str, environ: Mapping[str, str]) -> str:
    """What names the app, as ``celery -A`` takes it. Raises WorkersUnusable where nothing does."""
    package, _, module = settings_module.partition(".")
    name = root.options.celery or environ.get(VARIABLE, "") or (package if module else "")
    if not name:
        raise WorkersUnusable(
            "Nothing names the project's Celery app.",
            f"There is neither celery in [tool.migsync] nor {VARIABLE}, and no package with the settings. "
            f"{NOTHING_CHANGED}",
            EXAMPLE,
        )
    return name


def _imported(name: str) -> Any:  # noqa: ANN401 (Celery has no types)
    from celery import Celery
    from celery.app.utils import find_app

    # Modules of the project may print, also where the app reads its settings. On standard output that would end up in
    # the middle of a JSON document.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            # Not Celery's own import, which searches the current directory first.
            found = find_app(name, imp=importlib.import_module)
            if isinstance(found, Celery):
                _ = found.conf.broker_url
                return found
        except (Exception, SystemExit) as error:
            said = " ".join(redact(f"{type(error).__name__}: {error}").split())
            raise WorkersUnusable(
                f"The Celery app {name} cannot be used: {said}", NOTHING_CHANGED, f"To name another one: {EXAMPLE}"
            ) from error
    raise WorkersUnusable(f"{name} is not a Celery app.", NOTHING_CHANGED, EXAMPLE)
