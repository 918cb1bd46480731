"""The whole catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

import migsync.findings
from migsync.findings.entry import ENTRIES, CatalogueEntry


def catalogue() -> Mapping[str, CatalogueEntry[...]]:
    """Every entry, by code, in alphabetical order."""
    for module in iter_modules(migsync.findings.__path__, "migsync.findings."):
        import_module(module.name)
    return dict(sorted(ENTRIES.items()))
