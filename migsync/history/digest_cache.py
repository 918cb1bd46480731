"""Remembers the digest of each file's operations: to make it, the whole file is parsed and its operations are read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from migsync import __version__
from migsync.filesystem.atomic import write_file
from migsync.filesystem.boundary import read_regular

LIMIT = 50_000
"""So many digests are kept, those that were asked for last."""


class DigestCache:
    """Digests of operations by app and by the digest of the file's bytes. Nothing is read before one is asked for.

    As with :class:`migsync.history.cache.Cache`, the file may be deleted at any time, and one that another version of
    migsync wrote counts as none: the same operations may have another digest there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, str] | None = None
        self._asked: dict[str, str] = {}
        self._changed = False

    def of(self, app: str, source: str, make: Callable[[], str]) -> str:
        """The digest of the operations in a file of `app` with this `source`, which `make` makes if need be."""
        if self._known is None:
            self._known = self._loaded()
        name = f"{app} {source}"
        if name not in self._known:
            self._known[name] = make()
            self._changed = True
        self._asked[name] = self._known[name]
        return self._known[name]

    def save(self) -> None:
        """Replace the file when there is news; a directory that cannot be written is no error."""
        if not self._changed:
            return
        others = [each for each in (self._known or {}).items() if each[0] not in self._asked]
        kept = dict([*others, *self._asked.items()][-LIMIT:])
        document = json.dumps({"migsync": __version__, "digests": kept}, separators=(",", ":"))
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_file(self.path, document.encode(), durable=False)
        self._changed = False

    def _loaded(self) -> dict[str, str]:
        try:
            document = json.loads(read_regular(self.path))
            if document["migsync"] == __version__:
                return {str(name): str(digest) for name, digest in document["digests"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            pass
        return {}
