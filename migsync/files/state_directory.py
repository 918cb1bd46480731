"""Whether a change of migration files is under way: one look, for every command on its way in."""

from __future__ import annotations

import os
from pathlib import Path

STATE = ".migsync"
OPEN = "open"


def is_open(root: Path) -> bool:
    """Whether a change of files is under way, or was interrupted (see :mod:`migsync.files.commit.store`)."""
    return os.path.lexists(root / STATE / OPEN)
