"""Which directories are the project's own: only their migrations are ever changed."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from migsync.filesystem.archives import archive_of
from migsync.worker.runtime import ENVIRONMENT_PARTS

ENVIRONMENT_MARK = "pyvenv.cfg"


class FirstParty:
    """Decides for directories, with symbolic links followed on both sides.

    A directory is first party when it is inside the project's root and in no environment: not below
    ``site-packages`` or ``dist-packages``, not in the libraries of the Python that runs, and not in a virtual
    environment that stands in the root. A link out of the root leads to something that is not the project's own; a
    link from ``site-packages`` into the root (a development install) leads to something that is.
    """

    def __init__(self, root: Path) -> None:
        self.root = os.path.realpath(root)
        self._libraries = {
            os.path.realpath(sysconfig.get_path(scheme)) for scheme in ("stdlib", "platstdlib", "purelib", "platlib")
        }
        # The root ends the search upwards. It counts as no environment even if it is one: else nothing in it would be
        # the project's own.
        self._environments: dict[str, bool] = {self.root: False}
        # The Python that runs may stand in the root without a pyvenv.cfg, as an installation of its own does.
        prefix = os.path.realpath(sys.prefix)
        if prefix != self.root and _inside(prefix, self.root):
            self._environments[prefix] = True

    def __call__(self, directory: str) -> bool:
        """True when the directory is the project's own."""
        real = os.path.realpath(directory)
        # No file is changed in an archive, wherever that is.
        if not os.path.exists(real) and archive_of(real):  # noqa: PTH110 -- texts in, texts out
            return False
        if not _inside(real, self.root) or ENVIRONMENT_PARTS.intersection(Path(real).parts):
            return False
        if any(_inside(real, library) for library in self._libraries):
            return False
        return not self._in_environment(real)

    def _in_environment(self, directory: str) -> bool:
        """True when the directory, or one between it and the root, is a virtual environment."""
        known = self._environments.get(directory)
        if known is None:
            known = is_environment(directory) or self._in_environment(str(Path(directory).parent))
            self._environments[directory] = known
        return known


def is_environment(directory: str) -> bool:
    """True for the directory of a virtual environment."""
    return Path(directory, ENVIRONMENT_MARK).is_file()


def _inside(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)
