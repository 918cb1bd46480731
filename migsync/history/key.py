"""What Django calls a migration by.

It is a module of its own for a worker's process, which needs nothing else of this room, and must start fast.
"""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """(app label, name): the identity that Django gives a migration."""

    app: str
    name: str

    def __str__(self) -> str:
        return f"{self.app}.{self.name}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """``shop.0001_initial`` as a key; raises ValueError when there is no app or no name."""
        app, _, name = text.partition(".")
        if not app or not name:
            raise ValueError(f"{text!r} is not APP.NAME")
        return cls(app, name)
