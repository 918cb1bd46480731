"""Migrations on disk: one file as a :class:`Migration`, all of them as a :class:`History`.

`reader` goes from directories to a history: `directory` says which files are migrations, `cache` which have not
changed, `layout` reads the usual ones with one regular expression, and `parser` the others from their syntax trees,
with `expressions` and `bindings` for what is not a literal. `edges` and `graph` connect them by Django's rules;
`loader` is what Django's own loader would make of them for the rows of one database; `digest` tells which do the same.

A migration file is never imported. A name of this package is imported when it is first used: a worker's process needs
:class:`Key` alone, and must start fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from migsync.key import Key as Key

if TYPE_CHECKING:
    from migsync.history.cache import Cache
    from migsync.history.graph import History, build_history
    from migsync.history.loader import LoaderState
    from migsync.history.migration import FIRST, LATEST, SETTING, App, Migration, Problem
    from migsync.history.parser import parse_migration
    from migsync.history.reader import read_history, read_migration
else:
    _MODULES = {
        "cache": ("Cache",),
        "graph": ("History", "build_history"),
        "loader": ("LoaderState",),
        "migration": ("FIRST", "LATEST", "SETTING", "App", "Migration", "Problem"),
        "parser": ("parse_migration",),
        "reader": ("read_history", "read_migration"),
    }

    def __getattr__(name):  # noqa: ANN001, ANN202 -- type checkers read the imports above
        for module, names in _MODULES.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
