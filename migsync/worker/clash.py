"""An operation that cannot run where it stands, as :mod:`.state_watch` finds it; a part of the :mod:`.protocol`."""

from enum import StrEnum
from typing import NamedTuple

from migsync.key import Key


class StateAction(StrEnum):
    """What an operation does to a part of the state."""

    ADDS = "adds"
    CHANGES = "changes"
    REMOVES = "removes"


class Clash(NamedTuple):
    """An operation that cannot run: it adds a `part` that is there, or changes or removes one that is not.

    `key` and `number` (from 1) say which operation. `other` is the migration that added the part before, or removed
    it; None where none did. `ordered`: the graph itself puts `key` behind that one.
    """

    key: Key
    number: int
    action: StateAction
    part: tuple[str, ...]
    other: Key | None
    ordered: bool
