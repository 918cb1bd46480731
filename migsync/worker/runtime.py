"""What a Python process needs in order to run the project's code as manage.py would have it."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import migsync

SETTINGS_VARIABLE = "DJANGO_SETTINGS_MODULE"
LIBRARY_SETTINGS = "migsync.worker.library_settings"
INSTALLED_VARIABLE = "MIGSYNC_INSTALLED_APPS"
"""Names the apps of a library to :data:`LIBRARY_SETTINGS`, the settings for one that has none."""
CONFIGURATION_VARIABLE = "DJANGO_CONFIGURATION"  # django-configurations' choice of a class
ENVIRONMENT_PARTS = frozenset({"site-packages", "dist-packages"})
"""What is in a directory of this name was installed, and is nothing that the project can mend."""

START: Final = "import sys; name, *sys.path = sys.argv[1:]; __import__(name, fromlist=['main']).main()"
LIBRARY: Final = os.path.dirname(os.__file__)  # noqa: PTH120 -- compared with entries of sys.path, which are texts
ARCHIVE: Final = f"python{sys.version_info.major}{sys.version_info.minor}.zip"


class Runtime(NamedTuple):
    """The project's root and its settings module, empty without one.

    `search_path` are the directories that hold its modules, `python_path` those among them that come before everything
    else; `environ` are the variables that manage.py sets in this process's environment.
    """

    root: Path
    settings_module: str
    search_path: tuple[str, ...]
    python_path: tuple[str, ...] = ()
    environ: Mapping[str, str] = {}

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a process, made from this process's own."""
        # The settings module is the one that migsync has found or was given, so it goes over both.
        settings = {SETTINGS_VARIABLE: self.settings_module} if self.settings_module else {}
        return {**os.environ, **self.environ, **settings}

    def command(self, module: str) -> list[str]:
        """The command that runs ``main()`` of one of migsync's modules in a Python of its own.

        The project comes last on its ``sys.path`` until the module sets it: what starts is migsync's own code, and
        what that imports, also where the project has a ``migsync`` package or a ``base64.py``.
        """
        library, others = _divided([place for place in sys.path if place not in self.search_path])
        home = str(Path(migsync.__file__).parents[1])
        return [sys.executable, "-P", "-c", START, module, *library, home, *others, *self.search_path]

    def import_path(self, path: Sequence[str]) -> list[str]:
        """``sys.path`` for the project's code, made from this process's own `path`.

        The project's directories come before installed packages, as under manage.py, and behind the standard library,
        for which Django would otherwise take a ``json.py`` that lies beside manage.py. They come first only where one
        of their packages has the name of a standard module (an app called ``profile``). ``python-path`` is always
        first.
        """
        asked = self.python_path
        own = [place for place in self.search_path if place not in asked]
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
