"""migsync's own process, set up as manage.py would have it while the project's settings are read in it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from migsync.project.firstparty import FirstParty
from migsync.project.root import Root
from migsync.worker.runtime import SETTINGS_VARIABLE


@contextlib.contextmanager
def project_set_up(root: Root, settings_module: str) -> Iterator[None]:
    """Have the environment as manage.py would have it, and ``sys.path`` as :meth:`Runtime.import_path` makes it.

    Without a settings module no code of the project runs, and ``sys.path`` stays. What the settings themselves put
    into the environment stays: a connection may need it (``PGPASSFILE``). The project's own modules are forgotten:
    another project in this process may use the same names.
    """
    path, modules = list(sys.path), set(sys.modules)
    runtime = root.runtime(settings_module)
    ours = dict(runtime.environ)
    if settings_module:
        ours[SETTINGS_VARIABLE] = settings_module
    before = {name: os.environ.get(name) for name in ours}
    if settings_module:
        sys.path[:] = runtime.import_path(sys.path)
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
    """Take those of the modules `names` that are the project's own out of ``sys.modules``.

    Packages of an environment inside the project stay: imported again, each of their classes would be there twice.
    """
    first_party = FirstParty(root.directory)
    for name in names:
        file = getattr(sys.modules[name], "__file__", None)
        if file and first_party(os.path.dirname(file)):  # noqa: PTH120 -- FirstParty takes texts
            del sys.modules[name]
