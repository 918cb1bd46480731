"""Where parsed migration files may be remembered: a file outside the project that may always be deleted."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "MIGSYNC_CACHE"


def cache_file(root: Path, environ: Mapping[str, str]) -> Path:
    """The cache file of the project at `root`, in the directory that ``MIGSYNC_CACHE`` names or the user's own.

    A user without a home has none: then it is a path at which nothing can be written.
    """
    digest = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:32]
    return _directory(environ) / f"{digest}.history"


def _directory(environ: Mapping[str, str]) -> Path:
    if environ.get(VARIABLE):
        return Path(environ[VARIABLE])
    if Path(environ.get("XDG_CACHE_HOME", "")).is_absolute():  # the standard has others ignored
        return Path(environ["XDG_CACHE_HOME"]) / "migsync"
    if sys.platform == "win32" and environ.get("LOCALAPPDATA"):
        return Path(environ["LOCALAPPDATA"]) / "migsync" / "cache"
    try:
        home = Path.home()
    except RuntimeError:
        # A user without a home, as in some containers. Not in the project, which may have come with one: nowhere.
        return Path(os.devnull)
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "migsync"
