"""Squashes whose transition stands open, how far each database is past them, and the steps that finish them."""

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
