"""The process in which project code runs, set up as manage.py would have it and put back afterwards."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from migsync.project.root import SETTINGS_VARIABLE, Root, environment


@contextlib.contextmanager
def project_set_up(root: Root, settings_module: str) -> Iterator[None]:
    """Have ``sys.path`` and the environment as manage.py would have them.

    What the settings themselves put into the environment stays: a connection may need it (``PGPASSFILE``). The
    project's own modules are forgotten: another project in this process may use the same names.
    """
    path, modules = list(sys.path), set(sys.modules)
    ours = {name: value for name, value in environment(root).items() if name not in os.environ}
    if settings_module:
        ours[SETTINGS_VARIABLE] = settings_module
    before = {name: os.environ.get(name) for name in ours}
    sys.path[:0] = root.search_path
    os.environ.update(ours)
    try:
        yield
    finally:
        sys.path[:] = path
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _forget_imports(root, set(sys.modules) - modules)


def _forget_imports(root: Root, names: set[str]) -> None:
    own = f"{root.directory}{os.sep}"
    for name in names:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file and os.path.realpath(file).startswith(own):
            del sys.modules[name]
