"""The process in which project code runs, set up as manage.py would have it and put back afterwards."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import migsync
from migsync.project.firstparty import FirstParty
from migsync.project.root import SETTINGS_VARIABLE, Root, environment

START: Final = "import sys; name, *sys.path = sys.argv[1:]; __import__(name, fromlist=['main']).main()"
LIBRARY: Final = os.path.dirname(os.__file__)  # noqa: PTH120 -- compared with entries of sys.path, which are texts
ARCHIVE: Final = f"python{sys.version_info.major}{sys.version_info.minor}.zip"


def own_process(module: str, root: Root) -> list[str]:
    """The command that runs ``main()`` of one of migsync's modules in a Python of its own.

    The project comes last on its ``sys.path`` until the module sets it: what starts is migsync's own code, and what
    that imports, also where the project has a ``migsync`` package or a ``base64.py``.
    """
    library, others = _divided([place for place in sys.path if place not in root.search_path])
    home = str(Path(migsync.__file__).parents[1])
    return [sys.executable, "-P", "-c", START, module, *library, home, *others, *root.search_path]


def import_path(root: Root, path: Sequence[str]) -> list[str]:
    """``sys.path`` for the project's code, made from this process's own `path`.

    The project's directories come before installed packages, as under manage.py, and behind the standard library, for
    which Django would otherwise take a ``json.py`` that lies beside manage.py. They come first only where one of their
    packages has the name of a standard module (an app called ``profile``). ``python-path`` is always first.
    """
    asked = root.python_path
    own = [place for place in root.search_path if place not in asked]
    library, others = _divided([place for place in path if place not in (*asked, *own)])
    if any(map(_has_package_of_standard_name, own)):
        return [*asked, *own, *library, *others]
    return [*asked, *library, *own, *others]


def _divided(path: Sequence[str]) -> tuple[list[str], list[str]]:
    """The entries that are the standard library's, and the others; without the current directory."""
    library = [place for place in path if _is_library(place)]
    return library, [place for place in path if place and place not in library]


def _is_library(place: str) -> bool:
    return place == LIBRARY or os.path.basename(place) in (ARCHIVE, "lib-dynload")  # noqa: PTH119 -- as above


def _has_package_of_standard_name(place: str) -> bool:
    try:
        entries = list(Path(place).iterdir())
    except OSError:
        return False
    # "test" is not among the names, though it is a standard package.
    standard = sys.stdlib_module_names | {"test"}
    return any(entry.name in standard and (entry / "__init__.py").is_file() for entry in entries)


@contextlib.contextmanager
def project_set_up(root: Root, settings_module: str) -> Iterator[None]:
    """Have the environment as manage.py would have it, and ``sys.path`` as :func:`import_path` makes it.

    Without a settings module no code of the project runs, and ``sys.path`` stays. What the settings themselves put
    into the environment stays: a connection may need it (``PGPASSFILE``). The project's own modules are forgotten:
    another project in this process may use the same names.
    """
    path, modules = list(sys.path), set(sys.modules)
    ours = {name: value for name, value in environment(root).items() if name not in os.environ}
    if settings_module:
        ours[SETTINGS_VARIABLE] = settings_module
    before = {name: os.environ.get(name) for name in ours}
    if settings_module:
        sys.path[:] = import_path(root, sys.path)
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
    """But for packages of an environment inside the project: imported again, each of their classes is there twice."""
    first_party = FirstParty(root.directory)
    for name in names:
        file = getattr(sys.modules[name], "__file__", None)
        if file and first_party(os.path.dirname(file)):  # noqa: PTH120 -- FirstParty takes texts
            del sys.modules[name]
