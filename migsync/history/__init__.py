"""Migrations on disk: one file as a :class:`Migration`, all of them as a :class:`History`."""

from migsync.history.cache import Cache
from migsync.history.graph import History, build_history
from migsync.history.loader import LoaderState
from migsync.history.migration import FIRST, LATEST, SETTING, App, Key, Migration, Problem
from migsync.history.parser import parse_migration
from migsync.history.reader import read_history, read_migration

__all__ = [
    "FIRST",
    "LATEST",
    "SETTING",
    "App",
    "Cache",
    "History",
    "Key",
    "LoaderState",
    "Migration",
    "Problem",
    "build_history",
    "parse_migration",
    "read_history",
    "read_migration",
]
