"""Which migsync has worked something out: a cache that another one wrote counts as none.

Two of one version can be different, in a checkout of migsync itself.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import migsync


def own_source(*rooms: str) -> str:
    """A digest of the version, and of migsync's own source in these rooms."""
    return hashlib.sha256(" ".join([migsync.__version__, *map(_digest, rooms)]).encode()).hexdigest()


@cache
def _digest(room: str) -> str:
    root = Path(migsync.__file__).parent
    digest = hashlib.sha256()
    try:
        for path in sorted((root / room).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    except OSError:  # in a zip archive, the version has to do
        return ""
    return digest.hexdigest()
