"""Squashes whose transition stands open, how far each database is past them, and the steps that finish them."""

from migsync.refactor.tidy.squashes import Squash, open_squashes
from migsync.refactor.tidy.standing import Database, Place, Standing, databases_of
from migsync.refactor.tidy.tidy import tidy
from migsync.refactor.tidy.transitions import Status, Step, Transition, settled_transitions, transitions

__all__ = [
    "Database",
    "Place",
    "Squash",
    "Standing",
    "Status",
    "Step",
    "Transition",
    "databases_of",
    "open_squashes",
    "settled_transitions",
    "tidy",
    "transitions",
]
