"""What a SQL statement can change in the catalog, by its words alone; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Final

DATA: Final = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|SAVEPOINT|RELEASE|ROLLBACK|COMMIT|BEGIN|SET|SHOW|PRAGMA|EXPLAIN)\b",
    re.IGNORECASE,
)
"""How statements begin that change no catalog. A function that SELECT calls can: who needs to know looks again."""


class Touched(Enum):
    """What statements can have changed."""

    NOTHING = "nothing"
    ANYTHING = "anything"


def touched_by(statements: Iterable[str]) -> Touched:
    """What these statements can have changed."""
    return Touched.NOTHING if all(map(DATA.match, statements)) else Touched.ANYTHING
