"""What several findings advise about rows that no file explains."""

from __future__ import annotations

import json
from collections.abc import Sequence

from migsync.key import Key


def keep_hint(keys: Sequence[Key]) -> str:
    """What to write to keep the rows of these migrations although no file explains them."""
    rows = "the row" if len(keys) == 1 else "the rows"
    return f"Or keep {rows}: in pyproject.toml, under [tool.migsync], leftovers = {json.dumps(list(map(str, keys)))}"
