"""Remembers what was worked out from files whose operations had to be read, such as the digest of the operations."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from migsync.filesystem.atomic import write_file
from migsync.filesystem.boundary import read_regular
from migsync.filesystem.own_source import own_source

ROOMS = ("history",)
"""Where files are read, and what is made of them."""

LIMIT = 50_000
"""So many values are kept, those that were asked for last."""


class SourceCache:
    """Texts by app and by the digest of the sources that they come from. Nothing is read before one is asked for.

    As with :class:`migsync.history.cache.Cache`, the file may be deleted at any time, and one that another
    migsync wrote counts as none: what it worked out may differ.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, str] | None = None
        self._asked: dict[str, str] = {}
        self._changed = False

    def of(self, app: str, source: str, make: Callable[[], str]) -> str:
        """The text of `app` for this digest of a source, which `make` makes if need be."""
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
        document = json.dumps({"migsync": own_source(*ROOMS), "texts": kept}, separators=(",", ":"))
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_file(self.path, document.encode(), durable=False)
        self._changed = False

    def _loaded(self) -> dict[str, str]:
        try:
            document = json.loads(read_regular(self.path))
            if document["migsync"] == own_source(*ROOMS):
                return {str(name): str(text) for name, text in document["texts"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            pass
        return {}
