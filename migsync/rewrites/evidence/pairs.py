"""What became what: one pair of old and new names, how sure that is, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from migsync.key import Key


class Verdict(StrEnum):
    """`PROOF` goes into a plan, `HINT` is shown to a person, `AGAINST` says that it is another migration now."""

    PROOF = "proof"
    HINT = "hint"
    AGAINST = "against"


@dataclass(frozen=True, slots=True)
class Pair:
    """Old names and the new ones of one app; `reasons` are sentences.

    One to one is a rename, many to one a collapse. A hint without new names says that the old one may be a merge
    that was removed; with the same name on both sides, `AGAINST` says that its operations have changed.
    """

    app: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    verdict: Verdict
    reasons: tuple[str, ...]

    @property
    def olds(self) -> tuple[Key, ...]:
        """The old names as keys."""
        return tuple(Key(self.app, name) for name in self.old)

    @property
    def news(self) -> tuple[Key, ...]:
        """The new names as keys."""
        return tuple(Key(self.app, name) for name in self.new)
