"""How much the tests sample: the profile ``quick`` (the default), or ``thorough`` by MIGSYNC_TEST_PROFILE=thorough.

Both keep the same promises. ``thorough`` draws more Hypothesis examples, and takes every point where ``quick`` takes
a sample of them.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from itertools import count

from hypothesis import settings

NAMES = ("quick", "thorough")
NAME = os.environ.get("MIGSYNC_TEST_PROFILE") or "quick"
if NAME not in NAMES:
    raise SystemExit(f"MIGSYNC_TEST_PROFILE={NAME} is not a profile; use one of {', '.join(NAMES)}")
THOROUGH = NAME == "thorough"
IN_CI = os.environ.get("CI", "").lower() == "true"


def examples(quick: int, thorough: int) -> int:
    """The number of examples, seeds or rounds for this run: ``@settings(max_examples=examples(60, 400))``."""
    return thorough if THOROUGH else quick


def every(step: int) -> Iterator[int]:
    """The points to try, without end: each one when thorough, else every `step`-th from a start that is printed."""
    start, step = (0, 1) if THOROUGH else (random.SystemRandom().randrange(step), step)
    print(f"\npoints {start}, {start + step}, …")
    return count(start, step)


def load() -> None:
    """Register both profiles with Hypothesis, and load the one of this run."""
    # deadline=None: the machine's speed is not under test. print_blob: a failure prints what repeats it.
    # In CI no database of examples: each run has a seed of its own, which is printed.
    common = settings(deadline=None, print_blob=True, **({"database": None} if IN_CI else {}))
    settings.register_profile("quick", common, max_examples=60)
    settings.register_profile("thorough", common, max_examples=500)
    settings.load_profile(NAME)
