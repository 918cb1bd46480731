"""A share of the targets: what one of several machines works on, without asking the others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """The share `number` of `total`, counted from 1: each target is in exactly one, by its alias alone."""

    number: int
    total: int

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    def holds(self, alias: str) -> bool:
        """Whether the target is in this share. Others that come and go make no difference."""
        digest = hashlib.sha256(alias.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8]) % self.total == self.number - 1
