"""``tidy``: finish squashes whose files still say what they replace, once every database is past them.

:mod:`.squashes` finds the open ones, :mod:`.progress` how far each database is past each. :mod:`.transitions` is the
to-do list of the two: steps that are done, open or blocked. :mod:`.tidy` makes a Reshape of the steps that can be done.
"""

from migsync.refactor.tidy.progress import DatabaseProgress, DatabaseRecords, SquashState, databases_of
from migsync.refactor.tidy.squashes import Squash, open_squashes
from migsync.refactor.tidy.tidy import tidy
from migsync.refactor.tidy.transitions import SquashTransition, Step, StepStatus, settled_transitions, transitions

__all__ = [
    "DatabaseProgress",
    "DatabaseRecords",
    "Squash",
    "SquashState",
    "SquashTransition",
    "Step",
    "StepStatus",
    "databases_of",
    "open_squashes",
    "settled_transitions",
    "tidy",
    "transitions",
]
